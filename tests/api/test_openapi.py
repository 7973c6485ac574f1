"""What a front-end developer reads and generates a client from."""

import re

import pytest

SHAPES = [
    "Accepted",
    "AccountOut",
    "CodeIn",
    "LoginIn",
    "LoginOut",
    "NewPasswordIn",
    "PasswordResetIn",
    "RecoveryCodesOut",
    "RefreshTokenIn",
    "RegisterIn",
    "ReturnIn",
    "ReturnedIn",
    "SecondStepIn",
    "SetupIn",
    "SetupOut",
    "TokensOut",
    "VerifyEmailIn",
    "AvailabilityOut",
    "BegunOut",
    "BlockIn",
    "BlockList",
    "BlockOut",
    "BookingIn",
    "BookingOut",
    "BookingPage",
    "DaysOut",
    "FieldError",
    "Health",
    "Host",
    "MessageIn",
    "MessageOut",
    "MessagePage",
    "OwnVehicleOut",
    "OwnVehiclePage",
    "PhotoIn",
    "PhotoList",
    "PhotoOrder",
    "PhotoOut",
    "PhotoUploadOut",
    "PlaceIn",
    "PlacePatch",
    "Problem",
    "ProvidersOut",
    "QuoteLine",
    "QuoteOut",
    "ModeratedReviewOut",
    "ModeratedReviewPage",
    "OwnReviewOut",
    "ReviewHiddenIn",
    "ReviewHiddenOut",
    "ReviewIn",
    "ReadIn",
    "ReviewOut",
    "ReviewPage",
    "ReviewReplyIn",
    "ReviewReplyOut",
    "ReviewReportIn",
    "ReviewReportOut",
    "Location",
    "UploadOut",
    "VariantOut",
    "VehicleIn",
    "VehicleOut",
    "VehiclePatch",
]


def operations(app):
    return [
        (f"{method.upper()} {path}", operation)
        for path, methods in app.openapi()["paths"].items()
        for method, operation in methods.items()
    ]


def test_every_operation_has_a_summary_a_tag_and_a_name_for_generated_clients(app):
    names = [operation["operationId"] for _, operation in operations(app)]
    assert len(set(names)) == len(names)
    assert {"createBooking", "getVehicle", "listReviews"} <= set(names)
    tags = {tag["name"] for tag in app.openapi()["tags"]}
    for _, operation in operations(app):
        assert operation["summary"]
        assert set(operation["tags"]) <= tags


def test_every_parameter_is_described(app):
    undescribed = [
        (name, parameter["name"])
        for name, operation in operations(app)
        for parameter in operation.get("parameters", ())
        if not parameter.get("description")
    ]
    assert undescribed == []


def test_no_two_shapes_share_a_name(app):
    # FastAPI would call them api__schemas__…, and so would every generated client.
    assert [name for name in app.openapi()["components"]["schemas"] if "__" in name] == []


@pytest.mark.parametrize("shape", SHAPES)
def test_every_field_is_described_and_shown(app, shape):
    for name, field in app.openapi()["components"]["schemas"][shape]["properties"].items():
        assert field.get("description"), name
        # What refers to another shape or a list of values is shown there.
        refers = "$ref" in str(field) or "additionalProperties" in field
        assert refers or field.get("examples"), name


def test_every_error_is_published_as_a_problem(app):
    for name, operation in operations(app):
        for status, answer in operation["responses"].items():
            if int(status) >= 400 and (name, status) != ("GET /health", "503"):
                schema = answer["content"]["application/problem+json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/Problem"}, (name, status)


def test_ids_say_their_bounds(app):
    (parameter,) = app.openapi()["paths"]["/v1/vehicles/{id}"]["get"]["parameters"]
    assert parameter["schema"] | {"title": ""} == {
        "title": "",
        "type": "integer",
        "minimum": 1,
        "maximum": 2**53 - 1,
        "description": "the vehicle",
        "examples": [7],
    }


def test_every_number_that_is_asked_for_says_its_bounds(app):
    numbers = {
        (name, parameter["name"]): parameter["schema"]
        for name, operation in operations(app)
        for parameter in operation.get("parameters", ())
        if parameter["schema"].get("type") in {"integer", "number"}
    }
    searching = {parameter for name, parameter in numbers if name == "GET /v1/search/vehicles"}
    assert searching >= {"lat", "radiusKm", "days", "priceMin", "priceMax", "ratingMin", "limit"}
    boundless = [
        (*number, end)
        for number, schema in numbers.items()
        for end in ("minimum", "maximum")
        if schema.get(end, schema.get(f"exclusive{end.capitalize()}")) is None
    ]
    assert boundless == []


def test_bounds_are_said_in_words_of_json_schema(app):
    def keys(part):
        if isinstance(part, dict):
            yield from part
        for each in part.values() if isinstance(part, dict) else part:
            if isinstance(each, dict | list):
                yield from keys(each)

    # Pydantic's own words, where a validator stands before the bounds.
    assert not {"ge", "gt", "le", "lt", "multiple_of", "min_length"} & set(keys(app.openapi()))


async def fetch(app, path):
    import httpx2

    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app), base_url="http://test"
    ) as client:
        return await client.get(path)


def test_the_documentation_page_comes_whole_from_here(app, portal):
    page = portal.call(fetch, app, "/docs")
    assert page.status_code == 200
    assert "script-src 'self' 'unsafe-inline';" in page.headers["content-security-policy"]
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(loaded) >= 3
    for path in loaded:
        asset = portal.call(fetch, app, path)
        assert (asset.status_code, len(asset.content) > 500) == (200, True), path

"""The published contract: metadata, and the Problem schema that every error refers to."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from pydantic.alias_generators import to_camel

from api.errors import problem_responses
from api.schemas.common import ProblemDocument

DESCRIPTION = """
Find a vehicle, see what it costs, book it.

* **Money** is an integer number of cents of `currency`: `12950` with `USD` is $129.50.
* **Dates** are `YYYY-MM-DD` on the vehicle's own calendar (`timeZone`). A rental is half-open:
  `start` is the day you pick it up, `end` the day you bring it back, so `2027-06-01` to
  `2027-06-04` is three days, and the next renter may pick it up on `2027-06-04`.
* **Ratings** are decimals from 1 to 5; null where nobody has rated yet. **Distances** are km.
* **Lists** give `limit` items (1 to 100, default 20), `hasMore` and `nextCursor`. For the next page
  pass `nextCursor` as `cursor` with the same parameters. A cursor is opaque and signed: do not take
  it apart, and do not build one.
* **Errors** are `application/problem+json` (RFC 9457). Switch on the end of `type`, show `title` or
  `detail`, mark the fields in `errors[]`, and keep `requestId` for the bug report. A `503` carries
  `Retry-After`.
* **Unknown** query parameters and body fields are refused with `422`, so a typo never goes unseen.
* **Sending again**: a `POST` of bookings with an `Idempotency-Key` is carried out once; sent again
  with the same key and body it gets the same answer, with `Idempotency-Replayed: true`.
* **Signing in**: `POST /v1/auth/login` gives an `accessToken`, for `Authorization: Bearer <token>`,
  and a `refreshToken`, by which `POST /v1/auth/refresh-token` gives the next two.
* **Limits**: in 15 minutes 100 requests without a token, 1000 with one, 5000 of the premium tier.
  `RateLimit-Limit`, `-Remaining` and `-Reset` (seconds) say where you stand; then it is `429`.
* **Chat**: renter and host also talk by WebSocket at `/v1/bookings/{id}/chat`, whose frames are in
  `docs/chat.md`.
* **`X-Request-Id`** may be sent and comes back.
"""

METADATA: dict[str, Any] = {
    "docs_url": None,  # `install` serves it
    "redoc_url": None,
    "title": "Island Rides",
    "version": "1.0.0",
    "description": DESCRIPTION,
    "openapi_tags": [
        {"name": "search", "description": "Find vehicles: facets, counts, pages."},
        {"name": "vehicles", "description": "One vehicle and what hangs on it."},
        {"name": "hosting", "description": "Your own vehicles: terms, calendar, photos."},
        {"name": "bookings", "description": "Hold, pay, look, move, cancel."},
        {"name": "reviews", "description": "Write them, reply to them, moderate them."},
        {"name": "payments", "description": "For the payment provider."},
        {"name": "accounts", "description": "Register, sign in, second factor."},
        {"name": "health", "description": "For whoever operates this."},
    ],
    # What a generated client calls its functions: searchVehicles, createBooking.
    "generate_unique_id_function": lambda route: to_camel(route.name),
    "responses": problem_responses(
        {
            500: "Our mistake; nothing was changed",
            422: "A parameter or a body field is wrong or unknown; `errors[]` names each",
            429: "More requests than the tier has in 15 minutes: wait `Retry-After` seconds",
            503: "Try again after `Retry-After` seconds; nothing was changed",
        }
    ),
}


def install(app: FastAPI) -> None:
    """Add the Problem schema to what `app` publishes, and `/docs` to read it.

    Swagger UI is served from here: a page from a CDN stays empty where there is no way to it.
    """
    app.mount("/docs/assets", StaticFiles(packages=[("fastapi_swagger", "resources")]))

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url=app.openapi_url or "",
            title=app.title,
            swagger_js_url="/docs/assets/swagger-ui-bundle.js",
            swagger_css_url="/docs/assets/swagger-ui.css",
            swagger_favicon_url="/docs/assets/favicon-32x32.png",
        )

    generate = app.openapi

    def openapi() -> dict[str, Any]:
        published = generate()
        schemas = published.setdefault("components", {}).setdefault("schemas", {})
        if "Problem" not in schemas:
            problem = ProblemDocument.model_json_schema(
                ref_template="#/components/schemas/{model}", mode="serialization"
            )
            schemas.update(problem.pop("$defs"), Problem=problem)
        return published

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented extension point

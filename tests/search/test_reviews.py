"""What a review does to a search, by either engine: rating, count, filter and order, and back."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from accounts.tokens import sign_token
from tests import factory
from tests.conftest import SECRET
from tests.market import Market

TODAY = datetime.now(UTC).date()
NAMES = ("rating", "reviewCount")


@pytest.fixture
def send(market: Market) -> Any:
    """A request as an account; its token."""

    def request(method: str, path: str, account: int, role: str, json: Any = None) -> str:
        headers = {"Authorization": f"Bearer {sign_token(account, role, secret=SECRET)}"}
        answer = market.api.request(method, path, json=json, headers=headers)
        assert answer.is_success, answer.text
        market.drain()
        return str(answer.headers["x-write-token"])

    return request


def test_a_review_counts_in_every_search_until_it_is_hidden(place: Market, send: Any) -> None:
    conn = place.conn
    renter, admin = factory.store_account(conn), factory.store_account(conn, "admin")
    vehicle, other = place.store({}, {"imported_rating": 460, "imported_review_count": 1})
    days = TODAY - timedelta(days=5), TODAY - timedelta(days=2)
    over = factory.store_booking(conn, vehicle, *days, renter_id=renter, status="completed")
    path = f"/v1/bookings/{over}/review"

    def found(after: str | None = None) -> tuple[Any, ...]:
        page = place.search(facets="none", **({} if after is None else {"after": after}))
        assert page["meta"]["afterSatisfied"] is (None if after is None else True)
        (item,) = (each for each in page["items"] if each["id"] == vehicle)
        well_rated = place.ids(ratingMin=4.5)
        return [each["id"] for each in page["items"]], [item[name] for name in NAMES], well_rated

    place.drain()
    unrated = found()
    assert unrated == ([other, vehicle], [None, 0], [other])
    token = send("POST", path, renter, "renter", {"rating": 5})
    assert found(token) == ([vehicle, other], [5.0, 1], [vehicle, other])

    row = conn.execute("SELECT id FROM reviews WHERE booking_id = %s", [over]).fetchone()
    assert row is not None
    hidden = f"/v1/reviews/{row[0]}/hidden"
    token = send("PUT", hidden, admin, "admin", {"reason": "Spam."})
    assert found(token) == unrated
    token = send("DELETE", hidden, admin, "admin")
    assert found(token) == ([vehicle, other], [5.0, 1], [vehicle, other])

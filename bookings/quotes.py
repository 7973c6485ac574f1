"""Quotes that hold: a price for some days of a vehicle, signed, good for 15 minutes.

A quote holds no days. It holds the price: who books with it pays what was shown, even if the host
has raised the rate meanwhile.
"""

import hashlib
from datetime import date, datetime, timedelta
from typing import Any

from itsdangerous import BadData, URLSafeSerializer

from bookings.errors import InvalidQuoteError
from bookings.pricing import Line, LineCode, Quote

GOOD_FOR = timedelta(minutes=15)


def sign(
    secret: str, *, vehicle_id: int, start: date, end: date, quote: Quote, now: datetime
) -> tuple[str, datetime]:
    """A token for `quote`, and until when it is good."""
    until = now + GOOD_FOR
    content = {
        "of": [vehicle_id, start.isoformat(), end.isoformat()],
        "lines": [list(line) for line in quote.lines],
        "until": until.timestamp(),
    }
    return _serializer(secret).dumps(content), until


def verify(
    secret: str, token: str, *, vehicle_id: int, start: date, end: date, now: datetime
) -> Quote:
    """The price that was quoted for exactly these days of this vehicle.

    Raises:
        InvalidQuoteError: it was altered, is of other days or another vehicle, or has expired.
    """
    try:
        content: dict[str, Any] = _serializer(secret).loads(token)
    except BadData as error:
        raise InvalidQuoteError("is not one of ours") from error
    if content["of"] != [vehicle_id, start.isoformat(), end.isoformat()]:
        raise InvalidQuoteError("is of other days or another vehicle")
    if content["until"] <= now.timestamp():
        raise InvalidQuoteError("is older than 15 minutes")
    lines = tuple(Line(LineCode(code), label, cents) for code, label, cents in content["lines"])
    return Quote(lines, sum(line.cents for line in lines))


def _serializer(secret: str) -> URLSafeSerializer:
    return URLSafeSerializer(
        secret,
        salt="quote",
        # 48 bytes fill base64 without a spare bit: any changed character is noticed.
        signer_kwargs={"digest_method": hashlib.sha384, "key_derivation": "hmac"},
    )

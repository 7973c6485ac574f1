"""One row under the eyes of a parser: typed values out, a finding for each that is not right.

A value that a listing can do without is dropped; `RejectedRowError` gives the whole row up.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from listings.reading import Record
from listings.report import Action, Note

_TWICE_ENCODED = re.compile("[\u00c2-\u00c5\u00e2][\u0080-\u00bf\u0152-\u2122]")
_TWICE_ENCODED_CONTROL = re.compile("\u00c2([\u0080-\u009f])")
NUMBER = re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{1,18})?")
MAX_NAME = 200
MAX_PROSE = 20_000
CENT = Decimal("0.01")
# Numbers outside of these cannot be what the column means; what is inside is loaded as it is.
MAX_RATE = 100_000
MAX_MILEAGE_KM = 1_000_000
MAX_COUNT = 1_000_000
FIRST_YEAR = 1900


class RejectedRowError(Exception):
    """A row that cannot be loaded: the field that is to blame, its value and why."""

    def __init__(self, field: str, value: object, reason: str) -> None:
        super().__init__(reason)
        self.field = field
        self.value = value
        self.reason = reason


class Row:
    """The values of one record. A field is a column, or a dotted path into nested objects."""

    def __init__(self, record: Record, note: Note) -> None:
        self.line = record.line
        self._values = record.values
        self._note = note

    def note(
        self, action: Action, field: str, value: object, reason: str, became: object = None
    ) -> None:
        """Add a finding about this row."""
        self._note(action, self.line, field, value, reason, became)

    def raw(self, field: str) -> Any:
        """The value as the file has it; None where it is missing or blank."""
        value: Any = self._values
        for step in [field] if field in self._values else field.split("."):
            value = value.get(step) if isinstance(value, Mapping) else None
        return None if isinstance(value, str) and not value.strip() else value

    def name(self, field: str) -> str | None:
        """A short text on one line: repaired where encoding or white space are plainly wrong."""
        text = self._text(field)
        if text is None:
            return None
        clean = " ".join(unicodedata.normalize("NFC", _once_encoded(_printable(text))).split())
        clean = clean.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
        if len(clean) > MAX_NAME:
            self.note(Action.DROPPED, field, text, "longer than 200 characters")
            return None
        if clean != text:
            self.note(
                Action.REPAIRED, field, text, "white space, quotes or broken characters", clean
            )
        return clean or None

    def prose(self, field: str) -> str:
        """A long text; white space around it and kinds of line ends are not worth a finding."""
        text = self._text(field)
        if text is None:
            return ""
        text = text.replace("\r\n", "\n").strip()
        clean = _printable(text)[:MAX_PROSE]
        if clean != text:
            self.note(
                Action.REPAIRED, field, text, "control characters, or over 20,000 characters", clean
            )
        return clean

    def spelled(self, field: str, value: str | None, spelling: Callable[[str], str]) -> str | None:
        """`value`, what `field` holds, in the marketplace's spelling; the change is reported."""
        if value is None:
            return None
        became = spelling(value)
        if became != value:
            self.note(Action.REPAIRED, field, value, "spelled as elsewhere", became)
        return became

    def word(self, field: str, words: Mapping[str, str]) -> str | None:
        """A code that `words` (lower case) turns into a display value; unknown ones are dropped."""
        text = self.name(field)
        if text is None:
            return None
        if text.casefold() not in words:
            self.note(Action.DROPPED, field, text, "not a known value of this field")
            return None
        return words[text.casefold()]

    def flag(self, field: str) -> bool | None:
        """True or False, as JSON or as the words."""
        value = self.raw(field)
        known = {"true": True, "false": False}.get(str(value).strip().casefold())
        if value is not None and known is None:
            self.note(Action.DROPPED, field, value, "neither True nor False")
        return known

    def number(self, field: str, low: float, high: float) -> Decimal | None:
        """A decimal number between `low` and `high`, ends included; anything else is dropped."""
        value = self.raw(field)
        if value is None:
            return None
        number = _number(value)
        if number is None:
            self.note(Action.DROPPED, field, value, "not a number")
        elif not Decimal(str(low)) <= number <= Decimal(str(high)):
            self.note(Action.DROPPED, field, value, f"not between {low:,} and {high:,}")
            return None
        return number

    def integer(self, field: str, low: int, high: int) -> int | None:
        """A whole number, `2019` or `2019.0`, between `low` and `high`."""
        number = self.number(field, low, high)
        if number is not None and number != int(number):
            self.note(Action.DROPPED, field, self.raw(field), "not a whole number")
            return None
        return None if number is None else int(number)

    def year(self, field: str) -> int | None:
        """A model year: from 1900 to next year. Vintage cars are cars; 0 and 19999 are not."""
        value = self.raw(field)
        if value is None:
            return None
        number = _number(value)
        next_year = datetime.now(UTC).year + 1
        if number is None or number != int(number) or not FIRST_YEAR <= number <= next_year:
            self.note(Action.DROPPED, field, value, "not a year from 1900 to next year")
            return None
        return int(number)

    def required_year(self, field: str) -> int:
        """A model year that a row cannot do without.

        Raises:
            RejectedRowError: there is none that can be.
        """
        year = self.year(field)
        if year is None:
            raise RejectedRowError(field, self.raw(field) or "", "missing, and a row needs it")
        return year

    def required_name(self, field: str) -> str:
        """A name that a row cannot do without.

        Raises:
            RejectedRowError: there is none, or it has no letter and no digit.
        """
        text = self.name(field)
        if text is None or not any(character.isalnum() for character in text):
            raise RejectedRowError(field, self.raw(field) or "", "missing, and a row needs it")
        return text

    def cents(self, field: str) -> int:
        """A price in whole or decimal units of its currency, as cents, rounded half up.

        Raises:
            RejectedRowError: it is not a price between 0.01 and 100,000.
        """
        value = self.raw(field)
        number = None if value is None else _number(value)
        if number is None or not CENT <= number <= MAX_RATE:
            raise RejectedRowError(field, value or "", "not a price between 0.01 and 100,000")
        return int((number * 100).quantize(Decimal(1), ROUND_HALF_UP))

    def stars(self, field: str) -> int | None:
        """A rating of 1 to 5 in hundredths, rounded half up."""
        number = self.number(field, 1, 5)
        return None if number is None else int((number * 100).quantize(Decimal(1), ROUND_HALF_UP))

    def position(self, lat: str, lon: str) -> tuple[Decimal, Decimal] | tuple[None, None]:
        """Degrees to six decimals; both or neither. 0, 0 is what a missing position looks like."""
        north, east = self.number(lat, -90, 90), self.number(lon, -180, 180)
        if north is None or east is None:
            if north is not None or east is not None:
                self.note(Action.DROPPED, lat, self.raw(lat) or "", "half a position")
            return None, None
        if north == east == 0:
            self.note(Action.DROPPED, lat, self.raw(lat), "position 0, 0")
            return None, None
        return north.quantize(Decimal("0.000001")), east.quantize(Decimal("0.000001"))

    def _text(self, field: str) -> str | None:
        value = self.raw(field)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
        if value is not None and not isinstance(value, str):
            self.note(Action.DROPPED, field, value, "not text")
            return None
        return value


def _number(value: object) -> Decimal | None:
    """A plain decimal number; neither exponents nor thousands, so that nothing is guessed."""
    text = str(value).strip()
    return Decimal(text) if not isinstance(value, bool) and NUMBER.fullmatch(text) else None


def _printable(text: str) -> str:
    """Without control characters; those that Windows-1252 prints, read as Latin-1, come back."""
    if text.isascii() and text.isprintable():
        return text
    once = _TWICE_ENCODED_CONTROL.sub(r"\1", text)
    return "".join(_character(character) for character in once)


def _character(character: str) -> str:
    if unicodedata.category(character) not in {"Cc", "Cs"} or character in "\n\t":
        return character
    try:
        return character.encode("latin-1").decode("cp1252") if character >= "\x80" else ""
    except UnicodeError:
        return ""


def _once_encoded(text: str) -> str:
    """`CitroÃ«n` is UTF-8 read as Windows-1252; the way back is exact, or not taken."""
    if not _TWICE_ENCODED.search(text):
        return text
    try:
        return text.encode("cp1252").decode()
    except UnicodeError:
        return text

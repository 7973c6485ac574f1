"""What the parsers of several formats have in common."""

from hashlib import blake2b

from listings import normalise
from listings.report import Action
from listings.row import RejectedRowError, Row


def hashed(*parts: str) -> str:
    """A stable key for a row that has no id of its own: 24 hexadecimal digits."""
    return blake2b("\x1f".join(parts).encode("utf-8", "replace"), digest_size=12).hexdigest()


def make_of(row: Row, field: str) -> str:
    """The make, in display form.

    Raises:
        RejectedRowError: there is none.
    """
    make = row.spelled(field, row.required_name(field), normalise.make)
    if make is None or not normalise.fold(make):
        raise RejectedRowError(field, make or "", "missing, and a row needs it")
    if normalise.fold(make) not in normalise.MAKES:
        row.note(Action.KEPT, field, make, "not a known make")
    return make


def model_of(row: Row, field: str, make: str) -> str | None:
    """The model in display form; all digits ("911") and odd case ("bZ4X") are right as is."""
    text = row.name(field)
    if text is None:
        return None
    became = normalise.model(make, text)
    if normalise.SPREADSHEET_DATE.fullmatch(text):
        reason = "a name that a spreadsheet took for a date"
        if became == text:
            row.note(Action.KEPT, field, text, reason)
        else:
            row.note(Action.REPAIRED, field, text, reason, became)
        return became
    return row.spelled(field, text, lambda _: became)

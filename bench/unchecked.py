"""`rides` of which searches do not ask PostgreSQL what can be booked: what that check costs."""

from collections.abc import Sequence
from datetime import date, datetime

from cli.main import main
from search.request import Dates
from search.truth import Truth


async def _everything(
    _: Truth, ids: Sequence[int], dates: Dates | None, now: datetime
) -> dict[int, date | None] | None:
    return dict.fromkeys(ids, dates.start if dates else now.date())


Truth.bookable = _everything  # type: ignore[method-assign]

if __name__ == "__main__":
    main()

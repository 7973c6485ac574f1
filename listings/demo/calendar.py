"""Days and moments as text, made once: a seed needs millions of them."""

from datetime import date, timedelta

DAY = 86_400  # seconds
PAST_DAYS = 30
AHEAD_DAYS = 365
_OLDEST = 6 * 365


class Calendar:
    """Text of the days around `today`, from six years ago to a year ahead."""

    def __init__(self, today: date) -> None:
        self._days = [
            (today + timedelta(days=n)).isoformat() for n in range(-_OLDEST, AHEAD_DAYS + 1)
        ]
        self._minutes = [f" {n // 60:02}:{n % 60:02}+00" for n in range(DAY // 60)]

    def day(self, ahead: int) -> str:
        """The day so many days after today."""
        return self._days[_OLDEST + ahead]

    def moment(self, ago: int) -> str:
        """The minute in UTC that lies `ago` seconds before today began."""
        day, second = divmod(-ago, DAY)
        return self._days[_OLDEST + day] + self._minutes[second // 60]

"""What a renter gets back by cancelling: pure, in whole percent and integer cents.

Days are counted on the vehicle's calendar, from the day of cancelling to the day of pick-up. The
cleaning fee always goes back, as nothing was driven; the percentage is of the rest. Whoever
cancels as the host gives everything back.
"""

from collections.abc import Mapping
from typing import NamedTuple

from models import CancellationPolicy

# (days before pick-up, at least; percent given back), the most generous first; else nothing.
STEPS: Mapping[CancellationPolicy, tuple[tuple[int, int], ...]] = {
    CancellationPolicy.FLEXIBLE: ((1, 100), (0, 50)),
    CancellationPolicy.MODERATE: ((5, 100), (1, 50)),
    CancellationPolicy.STRICT: ((14, 100), (7, 50)),
}


class Terms(NamedTuple):
    """What cancelling gives back: the percentage of the policy, and the sum in cents."""

    percent: int
    cents: int


def percent(policy: CancellationPolicy, days_ahead: int) -> int:
    """The share that goes back `days_ahead` days before pick-up; negative after it."""
    return next((share for least, share in STEPS[policy] if days_ahead >= least), 0)


def terms(
    policy: CancellationPolicy, days_ahead: int, *, paid_cents: int, cleaning_cents: int
) -> Terms:
    """What goes back of `paid_cents`; half a cent goes to the renter."""
    share = percent(policy, days_ahead)
    cleaning = min(cleaning_cents, paid_cents)
    return Terms(share, cleaning + ((paid_cents - cleaning) * share + 50) // 100)

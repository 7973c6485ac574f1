"""What cancelling gives back, over every policy, day and sum."""

from hypothesis import given
from hypothesis import strategies as st

from bookings.policies import STEPS, percent, terms
from models import CancellationPolicy

POLICIES = st.sampled_from(list(CancellationPolicy))
CENTS = st.integers(0, 10**9)


def test_the_table_is_that_of_the_documentation():
    assert {policy.value: [*steps] for policy, steps in STEPS.items()} == {
        "flexible": [(1, 100), (0, 50)],
        "moderate": [(5, 100), (1, 50)],
        "strict": [(14, 100), (7, 50)],
    }


@given(POLICIES, st.integers(-30, 400))
def test_earlier_never_gives_less_and_after_pick_up_nothing_goes_back(policy, days):
    assert percent(policy, days) <= percent(policy, days + 1)
    if days < 0:
        assert percent(policy, days) == 0
    if days >= 14:
        assert percent(policy, days) == 100


@given(POLICIES, st.integers(-5, 30), CENTS, CENTS)
def test_never_more_than_was_paid_and_never_less_than_the_cleaning(policy, days, paid, cleaning):
    found = terms(policy, days, paid_cents=paid, cleaning_cents=cleaning)
    assert min(cleaning, paid) <= found.cents <= paid
    if found.percent == 100:
        assert found.cents == paid


def test_half_a_cent_goes_to_the_renter():
    assert terms(CancellationPolicy.FLEXIBLE, 0, paid_cents=3, cleaning_cents=0) == (50, 2)

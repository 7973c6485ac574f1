import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from bookings.pricing import LARGEST_TOTAL_CENTS, Line, LineCode, RateTerms, quote

PLAIN = RateTerms(daily_rate_cents=5_000)
# As the CHECKs of `vehicles` allow them.
TERMS = st.builds(
    RateTerms,
    daily_rate_cents=st.integers(1, 10_000_000),
    weekly_discount_pct=st.integers(0, 90),
    monthly_discount_pct=st.integers(0, 90),
    cleaning_fee_cents=st.integers(0, 10_000_000),
)


def codes(terms, days):
    return [line.code for line in quote(terms, days).lines]


def test_a_short_rental_is_its_days_and_the_service_fee():
    assert quote(PLAIN, 3) == (
        (
            Line(LineCode.RENTAL, "3 days", 15_000),
            Line(LineCode.SERVICE_FEE, "Service fee", 1_500),
        ),
        16_500,
    )


def test_the_service_fee_is_on_the_discounted_rental_and_not_on_the_cleaning():
    terms = RateTerms(5_000, weekly_discount_pct=10, cleaning_fee_cents=2_500)
    assert quote(terms, 7) == (
        (
            Line(LineCode.RENTAL, "7 days", 35_000),
            Line(LineCode.WEEKLY_DISCOUNT, "10 % off", -3_500),
            Line(LineCode.CLEANING_FEE, "Cleaning", 2_500),
            Line(LineCode.SERVICE_FEE, "Service fee", 3_150),
        ),
        37_150,
    )


@pytest.mark.parametrize(
    ("days", "discount"),
    [
        (6, None),
        (7, LineCode.WEEKLY_DISCOUNT),
        (27, LineCode.WEEKLY_DISCOUNT),
        (28, LineCode.MONTHLY_DISCOUNT),
    ],
)
def test_a_long_rental_gets_the_discount_of_its_length_and_only_that(days, discount):
    terms = RateTerms(5_000, weekly_discount_pct=10, monthly_discount_pct=25)
    got = [code for code in codes(terms, days) if code.endswith("discount")]
    assert got == ([discount] if discount else [])


def test_a_host_without_a_monthly_discount_gives_none_for_a_month():
    assert codes(RateTerms(5_000, weekly_discount_pct=10), 28) == ["rental", "service-fee"]


def test_half_a_cent_is_rounded_up():
    assert quote(RateTerms(daily_rate_cents=5), 1).total_cents == 6
    assert quote(RateTerms(daily_rate_cents=4), 1).total_cents == 4


def test_one_day_is_not_days():
    assert quote(PLAIN, 1).lines[0].label == "1 day"


@given(terms=TERMS, days=st.integers(1, 365))
def test_the_lines_add_up_to_the_total_and_none_is_zero(terms, days):
    lines, total = quote(terms, days)
    assert sum(line.cents for line in lines) == total
    assert all(line.cents for line in lines)


@settings(
    deadline=None,
    max_examples=300,
    # The function reads no table, so nothing needs to be emptied between examples.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(terms=TERMS, days=st.integers(1, 365))
def test_the_search_index_computes_the_same_total(conn, terms, days):
    total = quote(terms, days).total_cents
    assume(total <= LARGEST_TOTAL_CENTS)
    (indexed,) = conn.execute(
        "SELECT rental_total_cents(%s::int, %s::smallint, %s::smallint, %s::int, %s::int)",
        [
            terms.daily_rate_cents,
            terms.weekly_discount_pct,
            terms.monthly_discount_pct,
            terms.cleaning_fee_cents,
            days,
        ],
    ).fetchone()
    assert indexed == total

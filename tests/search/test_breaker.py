"""The breaker: too many failures open it, one call at a time tries, its answer closes it."""

import random

import pytest

from search.breaker import OPEN_S, Breaker, State

FAILURES = 3  # in a row, from none, that open it


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def opened() -> tuple[Breaker, Clock]:
    clock = Clock()
    breaker = Breaker(clock)
    for _ in range(FAILURES):
        assert breaker.lets_pass()
        breaker.failed()
    return breaker, clock


def call(breaker: Breaker, *, succeeds: bool) -> None:
    assert breaker.lets_pass()
    (breaker.succeeded if succeeds else breaker.failed)()


def calls_until_open(outcomes: list[bool]) -> int | None:
    breaker = Breaker(Clock())
    for number, succeeds in enumerate(outcomes, 1):
        call(breaker, succeeds=succeeds)
        if breaker.state is State.OPEN:
            return number
    return None


def test_three_failures_in_a_row_open_it() -> None:
    breaker, clock = opened()
    assert breaker.state is State.OPEN
    assert not breaker.lets_pass()
    clock.now += OPEN_S - 0.01
    assert not breaker.lets_pass()


@pytest.mark.parametrize("healthy", [1, 20, 10_000])
def test_three_failures_suffice_however_long_it_was_well(healthy: int) -> None:
    assert calls_until_open([True] * healthy + [False] * 10) == healthy + FAILURES


def test_every_other_call_failing_opens_it_though_never_two_in_a_row() -> None:
    opened_by = calls_until_open([False, True] * 20)
    assert opened_by is not None
    assert opened_by <= 9


def test_a_call_in_ten_failing_now_and_then_does_not_open_it() -> None:
    assert calls_until_open(([True] * 9 + [False]) * 100) is None


def test_two_failures_and_an_answer_do_not_open_it() -> None:
    assert calls_until_open([False, False, True]) is None


def test_after_a_while_one_call_tries_and_the_others_wait_for_it() -> None:
    breaker, clock = opened()
    clock.now += OPEN_S
    assert breaker.state is State.HALF_OPEN
    assert [breaker.lets_pass() for _ in range(5)] == [True, False, False, False, False]
    assert breaker.state is State.HALF_OPEN


def test_a_trial_that_is_answered_closes_it() -> None:
    breaker, clock = opened()
    clock.now += OPEN_S
    call(breaker, succeeds=True)
    assert breaker.state is State.CLOSED
    assert breaker.lets_pass()


def test_a_trial_that_fails_opens_it_for_as_long_again() -> None:
    breaker, clock = opened()
    clock.now += OPEN_S
    call(breaker, succeeds=False)
    clock.now += OPEN_S - 0.01
    assert not breaker.lets_pass()
    clock.now += 0.01
    assert breaker.lets_pass()


def test_a_failure_right_after_the_trial_opens_it_again_at_once() -> None:
    breaker, clock = opened()
    clock.now += OPEN_S
    call(breaker, succeeds=True)
    call(breaker, succeeds=False)
    assert breaker.state is State.OPEN


def test_a_few_answers_after_the_trial_make_it_as_patient_as_before() -> None:
    breaker, clock = opened()
    for _ in range(20):  # a long outage
        clock.now += OPEN_S
        call(breaker, succeeds=False)
    clock.now += OPEN_S
    for _ in range(12):
        call(breaker, succeeds=True)
    call(breaker, succeeds=False)
    call(breaker, succeeds=False)
    assert breaker.state is State.CLOSED


def test_a_trial_that_nobody_reports_does_not_keep_it_open_for_ever() -> None:
    breaker, clock = opened()
    clock.now += OPEN_S
    assert breaker.lets_pass()
    clock.now += OPEN_S
    assert breaker.lets_pass()


def test_what_comes_late_from_before_it_opened_neither_closes_nor_shortens_it() -> None:
    breaker, clock = opened()
    clock.now += OPEN_S / 2
    breaker.succeeded()
    assert breaker.state is State.OPEN
    breaker.failed()
    clock.now += OPEN_S / 2
    assert not breaker.lets_pass()


@pytest.mark.parametrize("failing", [0.5, 0.7, 1.0])
def test_a_server_that_fails_at_random_is_soon_left_alone(failing: float) -> None:
    draw = random.Random(4)
    for _ in range(50):
        opened_by = calls_until_open([draw.random() >= failing for _ in range(100)])
        assert opened_by is not None

"""The breaker: three failures in a row open it, one call at a time tries, an answer closes it."""

from search.breaker import FAILURES, OPEN_S, Breaker


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


def test_three_failures_in_a_row_open_it() -> None:
    breaker, clock = opened()
    assert not breaker.closed
    assert not breaker.lets_pass()
    clock.now += OPEN_S - 0.01
    assert not breaker.lets_pass()


def test_an_answer_in_between_starts_the_count_anew() -> None:
    breaker = Breaker(Clock())
    for _ in range(10):
        breaker.failed()
        breaker.failed()
        breaker.succeeded()
    assert breaker.closed


def test_after_a_while_one_call_tries_and_the_others_wait_for_it() -> None:
    breaker, clock = opened()
    clock.now += OPEN_S
    assert [breaker.lets_pass() for _ in range(5)] == [True, False, False, False, False]


def test_a_trial_that_is_answered_closes_it() -> None:
    breaker, clock = opened()
    clock.now += OPEN_S
    assert breaker.lets_pass()
    breaker.succeeded()
    assert breaker.closed
    assert breaker.lets_pass()


def test_a_trial_that_fails_opens_it_for_as_long_again() -> None:
    breaker, clock = opened()
    clock.now += OPEN_S
    assert breaker.lets_pass()
    breaker.failed()
    clock.now += OPEN_S - 0.01
    assert not breaker.lets_pass()
    clock.now += 0.01
    assert breaker.lets_pass()


def test_a_trial_that_nobody_reports_does_not_keep_it_open_for_ever() -> None:
    breaker, clock = opened()
    clock.now += OPEN_S
    assert breaker.lets_pass()
    clock.now += OPEN_S
    assert breaker.lets_pass()


def test_a_failure_that_comes_late_keeps_it_open() -> None:
    breaker, clock = opened()
    clock.now += OPEN_S / 2
    breaker.failed()  # a call from before it opened
    clock.now += OPEN_S / 2
    assert not breaker.lets_pass()

"""Refresh tokens rotate; one that comes back ends its family. Races, and any order of events."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from anyio.from_thread import start_blocking_portal
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule
from sqlalchemy import select

from accounts import families, opaque
from accounts.account import become_host
from accounts.errors import InvalidRefreshTokenError, RefreshTokenJustUsedError
from models import Account, RefreshToken, TokenFamily
from models.session import async_engine, sessions
from tests.conftest import SECRET, emptied
from tests.factory import store_account

pytestmark = pytest.mark.anyio

NOW = datetime(2027, 5, 20, 22, tzinfo=UTC)
CROWD = 8


async def open_family(transactions, account, now=NOW):
    async with transactions.begin() as session:
        found = await session.get_one(Account, account)
        return await families.open_family(session, found, now=now, secret=SECRET)


async def refresh(transactions, token, now=NOW):
    return await families.refresh(transactions, token, now=now, secret=SECRET)


def living(conn, now=NOW):
    """How many refresh tokens would work."""
    return conn.execute(
        "SELECT count(*) FROM refresh_tokens JOIN token_families ON id = family_id"
        " WHERE used_at IS NULL AND refresh_tokens.expires_at > %(now)s"
        " AND revoked_at IS NULL AND token_families.expires_at > %(now)s",
        {"now": now},
    ).fetchone()[0]


async def test_looking_first_would_give_two_for_one(transactions, conn):
    """The race: both see an unused token before either has marked it."""
    signed_in = await open_family(transactions, store_account(conn))
    both_have_looked = asyncio.Barrier(2)

    async def look_then_mark():
        async with transactions.begin() as session:
            link = await session.get_one(RefreshToken, opaque.digest(signed_in.refresh_token))
            assert link.used_at is None
            await both_have_looked.wait()
            link.used_at = NOW
            family = await session.get_one(TokenFamily, link.family_id)
            account = await session.get_one(Account, family.account_id)
            families._next(session, family, account, now=NOW, secret=SECRET)

    await asyncio.gather(look_then_mark(), look_then_mark())
    assert living(conn) == 2


async def test_of_a_crowd_with_one_token_one_gets_the_next_and_nothing_ends(transactions, conn):
    token = (await open_family(transactions, store_account(conn))).refresh_token
    for _ in range(4):
        outcomes = await asyncio.gather(
            *(refresh(transactions, token) for _ in range(CROWD)), return_exceptions=True
        )
        (won,) = [each for each in outcomes if isinstance(each, families.SignedIn)]
        lost = [each for each in outcomes if isinstance(each, RefreshTokenJustUsedError)]
        assert len(lost) == CROWD - 1
        assert living(conn) == 1
        token = won.refresh_token


async def test_a_family_that_reuse_has_ended_stays_so_though_the_answer_is_an_error(
    transactions, conn
):
    token = (await open_family(transactions, store_account(conn))).refresh_token
    await refresh(transactions, token)
    with pytest.raises(InvalidRefreshTokenError):
        await refresh(transactions, token, NOW + timedelta(seconds=16))
    assert conn.execute("SELECT count(revoked_at) FROM token_families").fetchone() == (1,)
    assert living(conn) == 0


async def test_reuse_ends_one_family_not_the_persons_other_devices(transactions, conn):
    account = store_account(conn)
    telephone, laptop = [(await open_family(transactions, account)) for _ in range(2)]
    await refresh(transactions, telephone.refresh_token)
    with pytest.raises(InvalidRefreshTokenError):
        await refresh(transactions, telephone.refresh_token, NOW + timedelta(minutes=1))
    assert await refresh(transactions, laptop.refresh_token, NOW + timedelta(minutes=1))


async def test_who_lists_a_vehicle_is_a_host_but_an_admin_stays_one(transactions, conn):
    accounts = [store_account(conn, role) for role in ("renter", "host", "admin")]
    async with transactions.begin() as session:
        for account in accounts:
            await become_host(session, account)
        roles = await session.scalars(select(Account.role).order_by(Account.id))
        assert list(roles) == ["host", "host", "admin"]


class Rotation(RuleBasedStateMachine):
    """Any order of refreshes, by the owner or a thief, of sign-outs, and of time passing.

    `model` says of each family which of its tokens is the end of the chain, when each was used, and
    whether it has ended; the product must agree.
    """

    tokens = Bundle("tokens")

    def __init__(self):
        super().__init__()
        emptied(self.conn)
        self.account = store_account(self.conn)
        self.now = NOW
        self.family_of = {}
        self.used = {}
        self.ended = set()
        self.end = {}
        self.opened = {}
        self.issued = {}

    @rule(target=tokens)
    def sign_in(self):
        family = len(self.opened)
        self.opened[family] = self.now
        return self.issue(
            family, self.portal.call(open_family, self.transactions, self.account, self.now)
        )

    def issue(self, family, signed_in):
        token = signed_in.refresh_token
        self.family_of[token], self.issued[token], self.end[family] = family, self.now, token
        return token

    def is_over(self, family):
        return family in self.ended or self.now >= self.opened[family] + families.LONGEST

    @rule(target=tokens, token=tokens)
    def refresh(self, token):
        family = self.family_of[token]
        try:
            signed_in = self.portal.call(refresh, self.transactions, token, self.now)
        except RefreshTokenJustUsedError:
            assert not self.is_over(family)
            assert self.now - self.used[token] <= families.LEEWAY
            return token
        except InvalidRefreshTokenError:
            if token in self.used:
                assert self.is_over(family) or self.now - self.used[token] > families.LEEWAY
                self.ended.add(family)
            else:
                assert self.is_over(family) or self.now - self.issued[token] >= families.IDLE
            return token
        assert not self.is_over(family)
        assert self.end[family] == token
        assert self.now - self.issued[token] < families.IDLE
        self.used[token] = self.now
        return self.issue(family, signed_in)

    @rule(token=tokens)
    def sign_out(self, token):
        self.portal.call(self.revoked, token)
        self.ended.add(self.family_of[token])

    async def revoked(self, token):
        async with self.transactions.begin() as session:
            await families.revoke(session, token, now=self.now)

    @rule(seconds=st.sampled_from([1, 7, 15, 16, 86_400, 10 * 86_400, 30 * 86_400]))
    def wait(self, seconds):
        self.now += timedelta(seconds=seconds)

    @invariant()
    def a_family_has_one_token_that_works_or_none(self):
        expected = sum(
            not self.is_over(family) and self.now - self.issued[token] < families.IDLE
            for family, token in self.end.items()
        )
        assert living(self.conn, self.now) == expected


def test_any_order_of_events_leaves_one_living_token_or_none(settings, conn):
    with start_blocking_portal() as portal:
        engine = async_engine(settings)
        Rotation.portal, Rotation.conn = portal, conn
        Rotation.transactions = sessions(engine)
        machine = Rotation.TestCase
        machine.settings = hypothesis(
            max_examples=30,
            stateful_step_count=30,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        try:
            machine("runTest").runTest()
        finally:
            portal.call(engine.dispose)

"""What would go wrong at once without the statements that decide; the API's tests show that it
does not with them."""

import asyncio
import os

import psycopg
import pytest
from sqlalchemy import select

from models import Account, SecondFactor
from models.session import async_engine, sessions
from tests.conftest import create_database, database_name
from tests.factory import store_account

pytestmark = pytest.mark.anyio


async def test_looking_before_registering_makes_two_accounts(settings, worker):
    scratch = create_database(
        f"rides_{worker}_registering", database_name(os.environ["RIDES_DATABASE_URL"])
    )
    engine = async_engine(settings.model_copy(update={"database_url": scratch}))
    both_have_looked = asyncio.Barrier(2)

    async def look_then_insert():
        async with sessions(engine).begin() as session:
            taken = select(Account.id).where(Account.email == "keala@example.org")
            assert await session.scalar(taken) is None
            await both_have_looked.wait()
            session.add(Account(email="keala@example.org", display_name="Keala"))

    with psycopg.connect(scratch, autocommit=True) as conn:
        conn.execute("ALTER TABLE accounts DROP CONSTRAINT uq_accounts_email")
        await asyncio.gather(look_then_insert(), look_then_insert())
        assert conn.execute("SELECT count(*) FROM accounts").fetchone() == (2,)
    await engine.dispose()


async def test_looking_before_taking_a_code_takes_it_twice(transactions, conn):
    account = store_account(conn)
    conn.execute(
        "INSERT INTO second_factors (account_id, encrypted_secret, confirmed_at)"
        " VALUES (%s, '', now())",
        [account],
    )
    both_have_looked = asyncio.Barrier(2)
    code_of_step = 7

    async def look_then_take():
        async with transactions.begin() as session:
            factor = await session.get_one(SecondFactor, account)
            assert factor.last_counter < code_of_step
            await both_have_looked.wait()
            factor.last_counter = code_of_step
            return True

    assert await asyncio.gather(look_then_take(), look_then_take()) == [True, True]


async def test_an_address_in_another_case_is_refused_by_the_table(conn):
    store_account(conn, email="keala@example.org")
    with pytest.raises(psycopg.errors.UniqueViolation):
        store_account(conn, email="keala@example.org")
    with pytest.raises(psycopg.errors.CheckViolation):
        store_account(conn, email="Keala@example.org")


async def test_imported_accounts_have_no_address_however_many(conn):
    for number in range(3):
        store_account(conn, source_key=f"turo:{number}")
    assert conn.execute("SELECT count(*) FROM accounts WHERE email IS NULL").fetchone() == (3,)

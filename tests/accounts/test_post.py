"""Mails that wait in the database, and a mail server that is really there, or not."""

import logging
import socket
from concurrent.futures import ThreadPoolExecutor
from email.policy import SMTP

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts import post
from accounts.addresses import normalised
from accounts.errors import InvalidFieldError
from accounts.letters import LETTERS
from devstack.processes import free_port
from models import MailKind
from runtime.settings import Settings
from tests.factory import insert, store_account

TO = "keala@example.org"


def waiting(conn):
    return conn.execute("SELECT count(*) FROM mails").fetchone()[0]


def due(conn):
    """Let the time pass until what failed is tried again."""
    conn.execute("UPDATE mails SET leased_until = now()")


def write(conn, to=TO, kind=MailKind.PASSWORD_CHANGED, **row):
    return insert(conn, "mails", {"kind": kind, "recipient": to, **row})


def registration(conn):
    row = {"email": TO, "display_name": "Keala", "password_hash": "x"}
    return insert(conn, "registrations", row | {"expires_at": "2999-01-01"})


def test_a_mail_is_sent_and_forgotten(conn, postbox):
    write(conn)
    assert postbox.deliver(conn) == 1
    (mail,) = postbox.mails
    assert mail["To"] == TO
    assert mail["From"] == "Island Rides <no-reply@island-rides.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"].endswith("@island-rides.example>")
    assert mail.get_content().split()[-1] == "http://127.0.0.1:8000"
    assert waiting(conn) == 0


def test_there_is_a_letter_for_every_kind_of_mail():
    assert set(LETTERS) == set(MailKind)


def test_a_token_is_made_when_its_mail_is_sent_and_kept_as_a_hash(conn, postbox):
    number = registration(conn)
    write(conn, kind=MailKind.VERIFY_EMAIL, registration_id=number)
    hashes = "SELECT token_hash FROM registrations"
    assert conn.execute(hashes).fetchone() == (None,)
    token = postbox.token(conn, TO)
    (stored,) = conn.execute(hashes).fetchone()
    assert stored == post.opaque.digest(token)


def test_an_address_that_has_an_account_gets_no_link(conn, postbox):
    store_account(conn, email=TO)
    write(conn, kind=MailKind.VERIFY_EMAIL, registration_id=registration(conn))
    assert postbox.deliver(conn) == 1
    assert postbox.subjects(TO) == ["You have an account already"]
    assert "#token" not in postbox.mails[0].get_content()
    assert conn.execute("SELECT token_hash FROM registrations").fetchone() == (None,)


def test_to_an_address_without_an_account_no_reset_is_sent(conn, postbox):
    write(conn, kind=MailKind.RESET_PASSWORD, link_expires_at="2999-01-01")
    assert postbox.deliver(conn) == 0
    assert (postbox.mails, waiting(conn)) == ([], 0)


@given(st.emails())
def test_to_every_address_that_is_taken_a_mail_can_be_written(written):
    try:
        address = normalised(written)
    except InvalidFieldError:
        return
    message = post._written(address, post.ALREADY_REGISTERED, "", Settings())
    assert message["To"].addresses[0].addr_spec == address
    assert b"\nTo: " in message.as_bytes(policy=SMTP)


def test_without_a_mail_server_in_the_settings_mails_wait(conn, settings):
    write(conn)
    assert post.deliver(conn, settings) == 0
    assert conn.execute("SELECT attempts FROM mails").fetchone() == (0,)


@pytest.mark.parametrize("scheme", ["smtp", "smtps", "smtp+starttls"])
def test_a_mail_waits_for_a_server_that_does_not_answer(conn, settings, postbox, scheme):
    write(conn)
    write(conn)
    gone = settings.model_copy(update={"smtp_url": f"{scheme}://127.0.0.1:{free_port()}"})
    assert post.deliver(conn, gone) == 0
    # One mail has tried; the others would fare no better.
    assert conn.execute("SELECT attempts FROM mails ORDER BY id").fetchall() == [(1,), (0,)]
    due(conn)
    assert postbox.deliver(conn) == 2


def test_a_server_that_does_not_encrypt_gets_nothing_where_that_was_asked_for(conn, postbox):
    write(conn)
    url = postbox.settings.smtp_url.replace("smtp://", "smtp+starttls://")
    assert post.deliver(conn, postbox.settings.model_copy(update={"smtp_url": url})) == 0
    assert waiting(conn) == 1


def test_a_server_that_does_not_let_us_in_costs_no_mail(conn, postbox):
    write(conn)
    url = postbox.settings.smtp_url.replace("smtp://", "smtp://user:password@")
    assert post.deliver(conn, postbox.settings.model_copy(update={"smtp_url": url})) == 0
    assert waiting(conn) == 1


def test_a_server_that_says_nothing_is_given_up(conn, settings, monkeypatch):
    monkeypatch.setattr(post, "ANSWER_S", 0.2)
    write(conn)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"smtp://127.0.0.1:{mute.getsockname()[1]}"
        assert post.deliver(conn, settings.model_copy(update={"smtp_url": url})) == 0
    assert waiting(conn) == 1


def test_what_is_refused_for_good_is_dropped_and_what_is_not_waits(conn, postbox):
    postbox.refusals = {"gone@example.org": "550 no such user", "full@example.org": "452 full"}
    for address in ("gone@example.org", "full@example.org", TO):
        write(conn, address)
    assert postbox.deliver(conn) == 1
    assert postbox.subjects(TO) == ["Your password was changed"]
    assert conn.execute("SELECT recipient FROM mails").fetchall() == [("full@example.org",)]


def test_the_waits_grow_and_end(conn, postbox):
    postbox.refusals = {TO: "452 full"}
    write(conn)
    minutes = []
    while waiting(conn):
        assert postbox.deliver(conn) == 0
        row = conn.execute(
            "SELECT round(extract(epoch FROM leased_until - now()) / 60) FROM mails"
        ).fetchone()
        minutes += [int(row[0])] if row else []
        due(conn)
    assert minutes[:8] == [1, 2, 4, 8, 16, 32, 64, 120]
    assert len(minutes) == post.MOST_ATTEMPTS - 1


def test_workers_at_the_same_time_send_each_mail_once(conn, settings, postbox):
    for number in range(30):
        write(conn, f"person-{number}@example.org")

    def worker(_):
        with psycopg.connect(settings.database_url, autocommit=True) as own:
            return postbox.deliver(own)

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(worker, range(4))) == 30
    recipients = [mail["To"] for mail in postbox.mails]
    assert len(recipients) == len(set(recipients)) == 30


def test_a_worker_that_dies_with_a_mail_in_hand_loses_nothing(conn, postbox):
    write(conn)
    assert post._lease(conn) is not None
    assert postbox.deliver(conn) == 0, "it is leased"
    due(conn)
    assert postbox.deliver(conn) == 1


def test_no_address_is_logged_but_where_mails_are_printed(conn, postbox, settings, capsys):
    logging.disable(logging.NOTSET)
    postbox.refusals = {TO: "550 keala@example.org is unknown"}
    write(conn)
    postbox.deliver(conn)
    write(conn)
    post.deliver(conn, settings.model_copy(update={"smtp_url": f"smtp://127.0.0.1:{free_port()}"}))
    logged = capsys.readouterr().out
    assert "mail refused for good" in logged
    assert "mail not sent" in logged
    assert "keala" not in logged

    due(conn)
    post.deliver(conn, settings.model_copy(update={"smtp_url": "console:"}))
    assert TO in capsys.readouterr().out
    assert waiting(conn) == 0

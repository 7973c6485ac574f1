"""Sending what waits in `mails`, as the drain sends what waits in the dirty log.

The row, not a message of a broker, is what a mail is until the mail server has taken it: nothing is
lost with Redis, and no answer of the API waits for a mail server. A link's token is made when its
mail is sent, and kept as a hash only. A mail can be sent twice, if this process dies between the
server's "taken" and the deletion; then the newer link is the one that works.
"""

import smtplib
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate, make_msgid, parseaddr
from typing import Any
from urllib.parse import unquote, urlsplit

import structlog
from psycopg import Connection
from psycopg.rows import class_row

from accounts import opaque
from accounts.letters import ALREADY_REGISTERED, LETTERS, Letter
from models import MailKind
from runtime import tls
from runtime.settings import CONSOLE, SMTP_PORTS, Settings

log = structlog.get_logger(__name__)

# That one call sends, so that a task ends before it is taken for stuck.
MOST = 20
ANSWER_S = 5  # that a mail server has for each of its answers
FOR_GOOD = 500  # and above: reply codes of RFC 5321 that no repetition changes
LEASE_S = 120  # more than one mail takes whose server uses all its time
# After this many failures, which is most of a day, a mail is dropped: its link is dead by then.
MOST_ATTEMPTS = 16

_LEASE = """
    UPDATE mails SET attempts = attempts + 1,
        leased_until = now() + make_interval(secs => %s)
    WHERE id = (
        SELECT id FROM mails WHERE leased_until <= now()
        ORDER BY leased_until LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    RETURNING id, kind, recipient, registration_id, link_expires_at, attempts
"""
# A minute, two, four … at most two hours.
_LATER = """
    UPDATE mails
    SET leased_until = now() + make_interval(mins => least(power(2, attempts - 1)::int, 120))
    WHERE id = %s
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A row of `mails` that this process has leased."""

    id: int
    kind: str
    recipient: str
    registration_id: int | None
    link_expires_at: datetime | None
    attempts: int


def deliver(connection: Connection[Any], settings: Settings) -> int:
    """Send what is due, at most `MOST` mails; the number sent. Several may run at the same time.

    Without a mail server in the settings everything waits.
    """
    sent = 0
    for _ in range(MOST if settings.smtp_url else 0):
        mail = _lease(connection)
        if mail is None:
            break
        content = _content(connection, mail)
        if content is None:
            _forget(connection, mail)
            continue
        message = _written(mail.recipient, *content, settings)
        try:
            failure = _handed_over(message, settings.smtp_url)
        except (OSError, smtplib.SMTPException) as error:
            # The server, not the mail: the others would fare no better.
            _later(connection, mail, type(error).__name__)
            break
        if failure is None:
            _forget(connection, mail)
            sent += 1
        elif failure >= FOR_GOOD:
            log.warning("mail refused for good", mail=mail.id, kind=mail.kind, code=failure)
            _forget(connection, mail)
        else:
            _later(connection, mail, str(failure))
    return sent


def _lease(connection: Connection[Any]) -> Waiting | None:
    with connection.cursor(row_factory=class_row(Waiting)) as cursor:
        return cursor.execute(_LEASE, [LEASE_S]).fetchone()


def _handed_over(message: EmailMessage, smtp_url: str) -> int | None:
    """None: taken. A reply code: this mail was refused, for good or for now.

    Raises:
        OSError, smtplib.SMTPException: the server takes no mail at all, of us or right now.
    """
    if smtp_url == CONSOLE:
        # An address and a link are nothing for any other log than a demo's.
        text = message.get_content()
        log.warning("mail", to=message["To"], subject=message["Subject"], text=text)
        return None
    with _connected(smtp_url) as server:
        try:
            server.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            return max(code for code, _ in error.recipients.values())
        except smtplib.SMTPDataError as error:
            return error.smtp_code
    return None


def _forget(connection: Connection[Any], mail: Waiting) -> None:
    connection.execute("DELETE FROM mails WHERE id = %s", [mail.id])


def _later(connection: Connection[Any], mail: Waiting, reason: str) -> None:
    # A server's message can repeat an address: the reason is a code or the kind of an error.
    dropped = mail.attempts >= MOST_ATTEMPTS
    log.warning("mail not sent", mail=mail.id, kind=mail.kind, reason=reason, dropped=dropped)
    if dropped:
        _forget(connection, mail)
    else:
        connection.execute(_LATER, [mail.id])


def _content(connection: Connection[Any], mail: Waiting) -> tuple[Letter, str] | None:
    """What a mail says, and the token of its link, kept as a hash from here on.

    What depends on whether the address has an account is decided here, where nobody is waiting for
    an answer. None: it has none, and so there is nothing to say to it.
    """
    letter = LETTERS[MailKind(mail.kind)]
    token = opaque.new()
    if mail.kind == MailKind.VERIFY_EMAIL:
        account = "SELECT id FROM accounts WHERE email = %s"
        if connection.execute(account, [mail.recipient]).fetchone() is not None:
            return ALREADY_REGISTERED, ""
        statement = "UPDATE registrations SET token_hash = %s WHERE id = %s"
        connection.execute(statement, [opaque.digest(token), mail.registration_id])
        return letter, token
    if mail.kind == MailKind.RESET_PASSWORD:
        made = connection.execute(
            "INSERT INTO password_resets (account_id, token_hash, expires_at)"
            " SELECT id, %s, %s FROM accounts WHERE email = %s",
            [opaque.digest(token), mail.link_expires_at, mail.recipient],
        )
        return (letter, token) if made.rowcount else None
    return letter, ""


def _written(recipient: str, letter: Letter, token: str, settings: Settings) -> EmailMessage:
    name, sender = parseaddr(settings.mail_from)
    message = EmailMessage()
    message["From"] = Address(name, addr_spec=sender)
    message["To"] = Address(addr_spec=recipient)
    message["Subject"] = letter.subject
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"  # no holiday replies
    app = settings.app_url.rstrip("/")
    message.set_content(letter.text.format(app=app, token=token))
    return message


def _connected(url: str) -> smtplib.SMTP:
    parts = urlsplit(url)
    host, port = str(parts.hostname), parts.port or SMTP_PORTS[parts.scheme]
    if parts.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=ANSWER_S, context=tls.trusted())
    else:
        server = smtplib.SMTP(host, port, timeout=ANSWER_S)
    try:
        if parts.scheme == "smtp+starttls":
            server.starttls(context=tls.trusted())
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
    except BaseException:
        server.close()
        raise
    return server

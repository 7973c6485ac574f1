"""A real mail server that keeps what it gets, and the post office of the product that feeds it."""

import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import psycopg
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from accounts import post
from devstack.processes import free_port
from runtime.settings import Settings

TOKEN = re.compile(r"#token=([\w-]+)")


class Postbox:
    """What arrived, oldest first. `refusals` are replies to give instead of taking an address."""

    def __init__(self, settings: Settings) -> None:
        self.mails: list[EmailMessage] = []
        self.refusals: dict[str, str] = {}
        port = free_port()
        self._controller = Controller(self, hostname="127.0.0.1", port=port)
        self._controller.start()
        self.settings = settings.model_copy(update={"smtp_url": f"smtp://127.0.0.1:{port}"})

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        self.mails.append(message_from_bytes(envelope.content, EmailMessage, policy=policy.default))
        return "250 OK"

    def deliver(self, conn: psycopg.Connection[Any]) -> int:
        """What the worker does every second."""
        return post.deliver(conn, self.settings)

    def subjects(self, address: str) -> list[str]:
        return [str(mail["Subject"]) for mail in self.mails if mail["To"] == address]

    def token(self, conn: psycopg.Connection[Any], address: str) -> str:
        """The token in the newest mail to an address, once what waits is delivered."""
        self.deliver(conn)
        texts = [mail.get_content() for mail in self.mails if mail["To"] == address]
        return TOKEN.findall(texts[-1])[-1]

    def clear(self) -> None:
        self.mails.clear()
        self.refusals.clear()

    def close(self) -> None:
        self._controller.stop()

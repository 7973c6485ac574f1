"""The second factor: codes of an authenticator app (TOTP, RFC 6238), and codes for its loss.

No code is taken twice: the 30 s step of the last one taken is advanced by compare-and-set, so A, B,
A fails like A, A, and of two requests with one code at the same time one wins. Wrong codes are
counted in the transaction that answers them, which commits whatever the answer.
"""

import base64
import hashlib
import hmac
import math
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyotp
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from accounts import challenges, families
from accounts.account import account_of
from accounts.errors import (
    InvalidChallengeError,
    InvalidCodeError,
    InvalidCredentialsError,
    SecondFactorLockedError,
    SecondFactorOffError,
    SecondFactorOnError,
)
from accounts.families import SignedIn
from accounts.passwords import Hasher
from models import Account, Mail, MailKind, RecoveryCode, SecondFactor

ISSUER = "Island Rides"
STEP_S = 30
# Steps before and after now whose codes are taken: clocks differ, people type slowly.
WINDOW = 1
RECOVERY_CODES = 10
LONGEST_CODE = 32
_RECOVERY_BYTES = 10  # 80 bits: a plain hash of one cannot be turned back
# Three of a million codes are right at a time.
MOST_FAILURES = 5
LOCKED, LONGEST_LOCKED = timedelta(minutes=15), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Setup:
    """What an authenticator needs; `uri` is what a QR code shows it."""

    secret: str
    uri: str


async def is_on(session: AsyncSession, account_id: int) -> bool:
    """Whether signing in needs a code."""
    factor = await session.get(SecondFactor, account_id)
    return factor is not None and factor.confirmed_at is not None


async def set_up(
    transactions: async_sessionmaker[AsyncSession],
    hasher: Hasher,
    account_id: int,
    *,
    password: str | None,
    secret: str,
) -> Setup:
    """A new secret, in force once `confirm` has seen a code of it; an unconfirmed one is replaced.

    Raises:
        UnknownAccountError: the account is gone.
        InvalidCredentialsError: the account has a password, and this is another.
        SecondFactorOnError: one is in force.
        SignInUnavailableError: too many passwords are being compared.
    """
    async with transactions.begin() as session:
        account = await account_of(session, account_id)
    stored = account.password_hash
    # No connection is held while the password is compared: that may have to wait for its turn.
    if stored is not None and not await hasher.matches(stored, password or ""):
        raise InvalidCredentialsError
    key = pyotp.random_base32()
    encrypted = _vault(secret).encrypt(key.encode())
    replace = insert(SecondFactor).values(account_id=account_id, encrypted_secret=encrypted)
    async with transactions.begin() as session:
        replaced = await session.scalar(
            replace.on_conflict_do_update(
                index_elements=[SecondFactor.account_id],
                set_={"encrypted_secret": encrypted, "last_counter": 0},
                where=SecondFactor.confirmed_at.is_(None),
            ).returning(SecondFactor.account_id)
        )
    if replaced is None:
        raise SecondFactorOnError
    label = account.email or account.display_name
    return Setup(key, pyotp.TOTP(key).provisioning_uri(name=label, issuer_name=ISSUER))


async def confirm(
    transactions: async_sessionmaker[AsyncSession],
    account_id: int,
    code: str,
    *,
    now: datetime,
    secret: str,
) -> list[str]:
    """Put the second factor in force; the recovery codes, which are shown this once.

    Raises:
        SecondFactorOffError: none is being set up.
        SecondFactorOnError: it is in force already.
        InvalidCodeError, SecondFactorLockedError: as for `require`.
    """
    async with transactions.begin() as session:
        factor = await session.get(SecondFactor, account_id, with_for_update=True)
        if factor is None:
            raise SecondFactorOffError
        if factor.confirmed_at is not None:
            raise SecondFactorOnError
        wrong = await _try(session, factor, code, now=now, secret=secret)
        if wrong is None:
            factor.confirmed_at = now
            await _tell(session, account_id, MailKind.SECOND_FACTOR_ON)
            return await _new_recovery_codes(session, account_id)
    raise wrong


async def answer(
    transactions: async_sessionmaker[AsyncSession],
    challenge: str,
    code: str,
    *,
    now: datetime,
    secret: str,
) -> SignedIn:
    """The second step of a sign-in.

    Raises:
        InvalidChallengeError: it is too old or not ours, or its account has no second factor.
        InvalidCodeError: the code is wrong, too old or was used.
        SecondFactorLockedError: too many were wrong.
    """
    account_id = challenges.verify(challenge, secret=secret)
    async with transactions.begin() as session:
        factor = await _in_force(session, account_id)
        if factor is None:
            raise InvalidChallengeError
        wrong = await _try(session, factor, code, now=now, secret=secret)
        if wrong is None:
            account = await session.get_one(Account, account_id)
            return await families.open_family(session, account, now=now, secret=secret)
    raise wrong


async def turn_off(
    transactions: async_sessionmaker[AsyncSession],
    account_id: int,
    code: str,
    *,
    now: datetime,
    secret: str,
) -> None:
    """Take the second factor and its recovery codes away.

    Raises:
        SecondFactorOffError: there is none.
        InvalidCodeError, SecondFactorLockedError: as for `answer`.
    """
    async with transactions.begin() as session:
        factor = await _in_force(session, account_id)
        if factor is None:
            raise SecondFactorOffError
        wrong = await _try(session, factor, code, now=now, secret=secret)
        if wrong is None:
            await session.delete(factor)
            await session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account_id))
            await _tell(session, account_id, MailKind.SECOND_FACTOR_OFF)
            return
    raise wrong


async def renew_recovery_codes(
    transactions: async_sessionmaker[AsyncSession],
    account_id: int,
    code: str,
    *,
    now: datetime,
    secret: str,
) -> list[str]:
    """New recovery codes; the old ones are void.

    Raises:
        SecondFactorOffError: there is no second factor.
        InvalidCodeError, SecondFactorLockedError: as for `answer`.
    """
    async with transactions.begin() as session:
        factor = await _in_force(session, account_id)
        if factor is None:
            raise SecondFactorOffError
        wrong = await _try(session, factor, code, now=now, secret=secret)
        if wrong is None:
            return await _new_recovery_codes(session, account_id)
    raise wrong


async def _in_force(session: AsyncSession, account_id: int) -> SecondFactor | None:
    """The account's second factor, locked: tries at one account come one after the other."""
    factor = await session.get(SecondFactor, account_id, with_for_update=True)
    return factor if factor is not None and factor.confirmed_at is not None else None


async def _try(
    session: AsyncSession, factor: SecondFactor, code: str, *, now: datetime, secret: str
) -> InvalidCodeError | SecondFactorLockedError | None:
    """Use a code; what is wrong is counted and returned, for the caller to raise after the commit.

    What comes while it is locked is not counted, or it would never open.
    """
    if factor.locked_until is not None and factor.locked_until > now:
        return SecondFactorLockedError(math.ceil((factor.locked_until - now).total_seconds()))
    key = _vault(secret).decrypt(factor.encrypted_secret).decode()
    account_id = factor.account_id
    if not (
        await _take_code(session, account_id, key, code, now)
        or await _take_recovery_code(session, account_id, code)
    ):
        factor.failures += 1
        if factor.failures % MOST_FAILURES == 0:
            factor.locked_until = now + locked_for(factor.failures)
        return InvalidCodeError()
    factor.failures = 0
    factor.locked_until = None
    return None


def locked_for(failures: int) -> timedelta:
    """How long so many wrong codes lock it: a quarter of an hour, then twice as long each time."""
    doublings = min(failures // MOST_FAILURES - 1, 10)
    return min(LOCKED * (1 << doublings), LONGEST_LOCKED)


async def _take_code(
    session: AsyncSession, account_id: int, key: str, code: str, now: datetime
) -> bool:
    counter = matching_counter(key, code, now)
    if counter is None:
        return False
    # Compare and set: right also if the lock on the row should ever go.
    advanced = await session.scalar(
        update(SecondFactor)
        .where(SecondFactor.account_id == account_id, SecondFactor.last_counter < counter)
        .values(last_counter=counter)
        .returning(SecondFactor.last_counter)
        .execution_options(synchronize_session=False)
    )
    return advanced is not None


async def _take_recovery_code(session: AsyncSession, account_id: int, code: str) -> bool:
    used = (
        delete(RecoveryCode)
        .where(RecoveryCode.account_id == account_id, RecoveryCode.code_hash == _bare_digest(code))
        .returning(RecoveryCode.account_id)
    )
    return await session.scalar(used) is not None


async def _new_recovery_codes(session: AsyncSession, account_id: int) -> list[str]:
    await session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account_id))
    codes = [_recovery_code() for _ in range(RECOVERY_CODES)]
    session.add_all(
        RecoveryCode(account_id=account_id, code_hash=_bare_digest(code)) for code in codes
    )
    return codes


async def _tell(session: AsyncSession, account_id: int, kind: MailKind) -> None:
    account = await session.get_one(Account, account_id)
    if account.email is not None:
        session.add(Mail(kind=kind, recipient=account.email))


def matching_counter(key: str, code: str, now: datetime) -> int | None:
    """The step within the window whose code this is, the newest first; None: none of them."""
    totp = pyotp.TOTP(key, interval=STEP_S)
    current = int(now.timestamp()) // STEP_S
    given = "".join(code.split()).encode("utf-8", "replace")
    for counter in range(current + WINDOW, current - WINDOW - 1, -1):
        if hmac.compare_digest(totp.generate_otp(counter).encode(), given):
            return counter
    return None


def _recovery_code() -> str:
    """Sixteen characters in four groups, without those that look alike."""
    text = base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode().lower()
    return "-".join(text[place : place + 4] for place in range(0, len(text), 4))


def _bare_digest(code: str) -> bytes:
    bare = "".join(code.lower().replace("-", "").split())
    return hashlib.sha256(bare.encode("utf-8", "replace")).digest()


def _vault(secret: str) -> Fernet:
    """Encrypts what must be read again, by a key of its own that comes from the signing secret."""
    key = HKDF(SHA256(), 32, salt=None, info=b"island-rides second factor").derive(secret.encode())
    return Fernet(base64.urlsafe_b64encode(key))

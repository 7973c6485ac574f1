"""What our mails say: plain text, which every program shows and none loads anything for."""

from collections.abc import Mapping
from dataclasses import dataclass

from models import MailKind

# In the fragment: the rest of a page's address goes into logs and to other sites.
VERIFY_PATH = "/verify-email#token="
RESET_PATH = "/reset-password#token="


@dataclass(frozen=True, slots=True)
class Letter:
    """A subject, and a text with `{app}` and, of some, `{token}` to fill in."""

    subject: str
    text: str


LETTERS: Mapping[MailKind, Letter] = {
    MailKind.VERIFY_EMAIL: Letter(
        "Finish your registration",
        "Welcome to Island Rides. To finish your registration, open\n\n"
        f"{{app}}{VERIFY_PATH}{{token}}\n\n"
        "and enter the password that you have chosen. The link works once, for 24 hours.\n\n"
        "If you did not register, do nothing: there is no account without you.\n",
    ),
    MailKind.RESET_PASSWORD: Letter(
        "Choose a new password",
        "To choose a new password for Island Rides, open\n\n"
        f"{{app}}{RESET_PATH}{{token}}\n\n"
        "The link works once, for one hour.\n\n"
        "If you did not ask for it, do nothing: your password stays as it is.\n",
    ),
    MailKind.PASSWORD_CHANGED: Letter(
        "Your password was changed",
        "The password of your account at Island Rides was changed, and every device signed out.\n\n"
        "If it was not you, reset it at once:\n\n{app}\n",
    ),
    MailKind.SECOND_FACTOR_ON: Letter(
        "Your account has a second factor",
        "From now on, signing in to Island Rides takes a code of your authenticator.\n\n"
        "If it was not you, reset your password at once:\n\n{app}\n",
    ),
    MailKind.SECOND_FACTOR_OFF: Letter(
        "Your account has no second factor any more",
        "Signing in to Island Rides does not take a code of your authenticator any more.\n\n"
        "If it was not you, reset your password at once:\n\n{app}\n",
    ),
}

# Instead of the first, where the address has an account.
ALREADY_REGISTERED = Letter(
    "You have an account already",
    "Somebody, probably you, tried to register with this address at Island Rides. It has an\n"
    "account: sign in at\n\n{app}\n\nand if you do not know the password, reset it there.\n\n"
    "If it was not you, do nothing: your account has not changed.\n",
)

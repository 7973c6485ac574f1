"""What can go wrong with accounts, in their words: a stable code, a title, a sentence."""

from typing import ClassVar


class AccountError(Exception):
    """`code` and `title` are the same for every occurrence; the message is about this one."""

    code: ClassVar[str]
    title: ClassVar[str]


class InvalidFieldError(AccountError):
    """What somebody entered cannot be taken; `field` is its name in the API."""

    code = "invalid-request"
    title = "The request is not valid"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class InvalidCredentialsError(AccountError):
    """Address and password do not go together; which of them is wrong is nobody's business."""

    code = "invalid-credentials"
    title = "Not signed in"

    def __init__(self) -> None:
        super().__init__("E-mail address or password is wrong.")


class InvalidLinkError(AccountError):
    """A token from a mail that is not ours, was used, or is too old."""

    code = "invalid-link"
    title = "The link does not work any more"

    def __init__(self) -> None:
        super().__init__("It was used already, has expired or is incomplete: ask for a new one.")


class AlreadyRegisteredError(AccountError):
    """The address got its account by another link; said only to who reads its mail."""

    code = "already-registered"
    title = "The address has an account"

    def __init__(self) -> None:
        super().__init__("This address has an account by now: sign in, or reset the password.")


class InvalidRefreshTokenError(AccountError):
    """The refresh token is unknown, expired or revoked, or was used before."""

    code = "invalid-refresh-token"
    title = "Not signed in"

    def __init__(self) -> None:
        super().__init__("The refresh token is not valid any more: sign in again.")


class RefreshTokenJustUsedError(AccountError):
    """The refresh token was used a moment ago, as by another tab of the same app."""

    code = "refresh-token-just-used"
    title = "The refresh token was used a moment ago"

    def __init__(self) -> None:
        super().__init__("Use the tokens that the other request got, or sign in again.")


class UnknownAccountError(AccountError):
    """The account that a token speaks for is gone."""

    code = "invalid-token"
    title = "Not signed in"

    def __init__(self) -> None:
        super().__init__("Your account does not exist any more: sign in again.")


class InvalidChallengeError(AccountError):
    """What a sign-in gave for its second step is not ours or too old."""

    code = "invalid-challenge"
    title = "Not signed in"

    def __init__(self) -> None:
        super().__init__("The sign-in took too long: begin again.")


class InvalidCodeError(AccountError):
    """A code of the second factor that is wrong, too old, or was used."""

    code = "invalid-code"
    title = "The code is wrong"

    def __init__(self) -> None:
        super().__init__("Wait for the next code of your authenticator, or use a recovery code.")


class SecondFactorLockedError(AccountError):
    """Too many wrong codes; `seconds` until the next is looked at."""

    code = "second-factor-locked"
    title = "Too many wrong codes"

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Too many wrong codes: try again in {seconds} seconds.")
        self.seconds = seconds


class SecondFactorOnError(AccountError):
    """There is a second factor already."""

    code = "second-factor-on"
    title = "The second factor is on"

    def __init__(self) -> None:
        super().__init__("Your account has a second factor: turn it off to set up another.")


class SecondFactorOffError(AccountError):
    """There is no second factor, or none is being set up."""

    code = "second-factor-off"
    title = "The second factor is off"

    def __init__(self) -> None:
        super().__init__("Your account has no second factor: set one up first.")


class TooManyAttemptsError(AccountError):
    """More attempts than anybody needs; `seconds` until the next is taken."""

    code = "too-many-attempts"
    title = "Too many attempts"

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Too many attempts: try again in {seconds} seconds.")
        self.seconds = seconds


class SignInUnavailableError(AccountError):
    """Nobody can sign in right now: what guards it does not answer, or too many ask at once."""

    code = "sign-in-unavailable"
    title = "Signing in is not possible right now"

    def __init__(self) -> None:
        super().__init__("Nothing was changed. Try again in a moment.")


class UnknownProviderError(AccountError):
    """No such OpenID provider is configured."""

    code = "unknown-provider"
    title = "No such provider"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no provider {name!r}: GET /v1/auth/oauth lists them.")


class ProviderFailedError(AccountError):
    """The provider does not answer, or not as OpenID Connect says."""

    code = "provider-failed"
    title = "The provider did not sign you in"

    def __init__(self) -> None:
        super().__init__("The provider did not confirm who you are: begin again.")


class InvalidFlowError(AccountError):
    """What came back from a provider belongs to no sign-in that was begun here."""

    code = "invalid-flow"
    title = "The sign-in does not match"

    def __init__(self) -> None:
        super().__init__("This sign-in was finished, took too long or was not begun here.")


class UnverifiedAddressError(AccountError):
    """The provider does not vouch for the person's address."""

    code = "unverified-address"
    title = "The provider has not verified your address"

    def __init__(self) -> None:
        super().__init__("Verify your e-mail address at the provider, then begin again.")


class LinkedToAnotherError(AccountError):
    """The account of the address is linked to somebody else at the provider."""

    code = "linked-to-another"
    title = "The account is linked to somebody else"

    def __init__(self) -> None:
        super().__init__("The account of this address is linked to another person there: sign in.")

"""E-mail addresses in one form each, so that equal ones are equal text."""

from email_validator import EmailNotValidError, validate_email

from accounts.errors import InvalidFieldError

LONGEST = 254  # RFC 5321, of the whole address


def normalised(address: str) -> str:
    """The address as it is stored and compared: ASCII, lower case.

    The part before the @ may by the standard be case-sensitive; at no provider it is, and two
    accounts that differ in case only would be a trap. Whether the domain exists is not asked: a
    look-up takes time, and the mail will show it.

    Raises:
        InvalidFieldError: it is no address.
    """
    try:
        valid = validate_email(
            address.strip(), check_deliverability=False, allow_smtputf8=False, strict=True
        )
    except EmailNotValidError as error:
        raise InvalidFieldError("email", f"is no e-mail address: {error}") from error
    assert valid.ascii_email is not None  # follows from allow_smtputf8
    return valid.ascii_email.lower()

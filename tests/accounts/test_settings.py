"""Mail servers and providers as the environment names them; what is unsafe is refused."""

import pytest
from pydantic import ValidationError

from runtime.settings import Settings

GOOGLE = {
    "RIDES_OIDC__GOOGLE__ISSUER": "https://accounts.google.com",
    "RIDES_OIDC__GOOGLE__CLIENT_ID": "island-rides",
    "RIDES_OIDC__GOOGLE__CLIENT_SECRET": "what Google has given us",
}


@pytest.fixture
def read(monkeypatch):
    """Settings from these variables."""

    def read(**variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return Settings()

    return read


def test_a_provider_has_three_variables(read):
    provider = read(**GOOGLE, RIDES_OIDC_REDIRECTS="https://a.example.com/in, rides://in").oidc
    assert list(provider) == ["google"]
    assert provider["google"].issuer == "https://accounts.google.com"
    assert "has given us" not in repr(provider)


def test_the_addresses_to_come_back_to_are_a_list(read):
    settings = read(RIDES_OIDC_REDIRECTS="https://a.example.com/in, rides://in")
    assert settings.oidc_redirects == ("https://a.example.com/in", "rides://in")


def test_half_a_provider_is_refused(read):
    with pytest.raises(ValidationError, match="client_secret"):
        read(**{name: value for name, value in GOOGLE.items() if "SECRET" not in name})


@pytest.mark.parametrize(
    ("issuer", "taken"),
    [
        ("https://accounts.example.com", True),
        ("http://127.0.0.1:9400", True),
        ("http://localhost:9400", True),
        ("http://accounts.example.com", False),
        ("accounts.example.com", False),
    ],
)
def test_a_provider_is_spoken_to_in_private(read, issuer, taken):
    variables = GOOGLE | {"RIDES_OIDC__GOOGLE__ISSUER": issuer}
    if taken:
        assert read(**variables).oidc["google"].issuer == issuer
        return
    with pytest.raises(ValidationError, match="https"):
        read(**variables)


@pytest.mark.parametrize(
    ("url", "taken"),
    [
        ("", True),
        ("console:", True),
        ("smtp://mail.internal", True),
        ("smtps://user:password@mail.example.com:465", True),
        ("smtp+starttls://user:password@mail.example.com", True),
        ("mail.example.com", False),
        ("smtp://", False),
        ("http://mail.example.com", False),
        ("consol:", False),
    ],
)
def test_a_mail_server_is_named_by_a_url(read, url, taken):
    if taken:
        assert read(RIDES_SMTP_URL=url).smtp_url == url
        return
    with pytest.raises(ValidationError, match="smtps://user:password@host"):
        read(RIDES_SMTP_URL=url)

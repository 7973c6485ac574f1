"""One form of every address."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.addresses import normalised
from accounts.errors import InvalidFieldError


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("Keala@Example.org", "keala@example.org"),
        ("  keala@example.org\n", "keala@example.org"),
        ("keala+rides@EXAMPLE.ORG", "keala+rides@example.org"),
        ("keala@bücher.example.org", "keala@xn--bcher-kva.example.org"),
        ("keala@XN--BCHER-KVA.example.org", "keala@xn--bcher-kva.example.org"),
    ],
)
def test_however_it_is_written_it_is_one(written, form):
    assert normalised(written) == form


@pytest.mark.parametrize(
    "written",
    [
        "",
        "keala",
        "@example.org",
        "keala@",
        "keala@localhost",
        "keala@127.0.0.1",
        "keala@[127.0.0.1]",
        "two words@example.org",
        "keala@example.org, other@example.org",
        "Keala <keala@example.org>",
        "keala@example.org\nBcc: other@example.org",
        "kéala@example.org",
        "a" * 65 + "@example.org",
        "keala@" + "a" * 250 + ".org",
        "keala@exa\0mple.org",
    ],
)
def test_what_is_no_address_is_refused(written):
    with pytest.raises(InvalidFieldError, match="is no e-mail address") as refused:
        normalised(written)
    assert refused.value.field == "email"


@given(st.emails() | st.text(max_size=60).map(lambda text: f"{text}@example.org"))
def test_a_form_is_its_own_form_and_the_database_agrees(written):
    try:
        form = normalised(written)
    except InvalidFieldError:
        return
    assert normalised(form) == normalised(form.upper()) == form
    assert form.isascii()
    assert form.isprintable()
    assert form == form.lower()

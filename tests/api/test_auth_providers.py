"""Signing in by an OpenID provider that is really there; and by one that lies."""

import base64
import hashlib
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc.jwk import OctKey, RSAKey

from api.app import create_app
from api.dependencies import now
from runtime.settings import OidcProvider
from tests.api.conftest import NOW, problem
from tests.factory import store_account
from tests.providers import CLIENT_ID, CLIENT_SECRET, REDIRECT, Liar, running_provider

EMAIL = "keala@example.org"


@pytest.fixture(scope="module")
def provider():
    with running_provider() as provider:
        yield provider


@pytest.fixture(scope="module")
def liar():
    with Liar() as liar:
        yield liar


@pytest.fixture(scope="module")
def app(settings, portal, provider, liar):
    """An application that knows both providers, and one that never answers."""
    names = {"island-id": provider.url, "liar": liar.url, "gone": "http://127.0.0.1:1"}
    oidc = {
        name: OidcProvider(issuer=url, client_id=CLIENT_ID, client_secret=CLIENT_SECRET)
        for name, url in names.items()
    }
    app = create_app(settings.model_copy(update={"oidc": oidc, "oidc_redirects": (REDIRECT,)}))
    with portal.wrap_async_context_manager(app.router.lifespan_context(app)):
        yield app


@pytest.fixture
def client(client, liar):
    """A client of it, while the liar is honest."""
    liar.claims, liar.metadata, liar.answer = {}, {}, None
    liar.key, liar.algorithm = liar.published, "RS256"
    # What it has read of the liar.
    client.app.state.providers._metadata.clear()
    return client


def begin(client, name="island-id", redirect=REDIRECT):
    return client.post(f"/v1/auth/oauth/{name}/start", {"redirectUri": redirect})


def finish(client, begun, back, name="island-id"):
    body = {"flow": begun["flow"], "state": back["state"], "code": back["code"]}
    return client.post(f"/v1/auth/oauth/{name}/finish", body)


def sign_in(client, provider, subject, **claims):
    provider.knows(subject, **claims)
    begun = begin(client).json()
    return finish(client, begun, provider.consent(begun["url"], subject))


def me(client, answer):
    headers = {"Authorization": f"Bearer {answer.json()['tokens']['accessToken']}"}
    return client.get("/v1/auth/me", headers=headers).json()


def lie(client, liar, **claims):
    """Sign in at the liar, whose token carries the right nonce unless `claims` say otherwise."""
    begun = begin(client, "liar").json()
    query = parse_qs(urlsplit(begun["url"]).query)
    liar.claims = {"nonce": query["nonce"][0]} | claims
    return finish(client, begun, {"state": query["state"][0], "code": "a code"}, "liar")


def test_the_providers_are_listed(client):
    assert client.get("/v1/auth/oauth").json() == {"items": ["gone", "island-id", "liar"]}


def test_somebody_new_gets_an_account_and_comes_back_to_it(client, provider):
    first = me(
        client, sign_in(client, provider, "k-1", email=EMAIL, email_verified=True, name="Keala")
    )
    assert (first["email"], first["displayName"], first["hasPassword"]) == (EMAIL, "Keala", False)
    # By issuer and subject: a new address there changes nothing here.
    again = me(client, sign_in(client, provider, "k-1", email="new@example.org"))
    assert again == first


def test_others_see_no_part_of_the_address_of_somebody_without_a_name(client, provider):
    answer = sign_in(client, provider, "k-9", email=EMAIL, email_verified=True)
    assert me(client, answer)["displayName"] == "Member"


def test_a_verified_address_links_to_the_account_that_has_it(client, provider, conn):
    account = store_account(conn, "host", email=EMAIL)
    answer = sign_in(client, provider, "k-2", email="KEALA@example.org", email_verified=True)
    assert me(client, answer)["id"] == account


@pytest.mark.parametrize(
    "claims",
    [
        {"email": EMAIL},
        {"email": EMAIL, "email_verified": False},
        {"email": EMAIL, "email_verified": "true"},
        {"email": "no address", "email_verified": True},
        {"email_verified": True},
    ],
)
def test_without_a_verified_address_nobody_is_linked_or_made(client, provider, conn, claims):
    store_account(conn, email=EMAIL)
    answer = sign_in(client, provider, "k-3", **claims)
    assert problem(answer)[:2] == (403, "unverified-address")
    assert conn.execute("SELECT count(*) FROM external_identities").fetchone() == (0,)
    assert conn.execute("SELECT count(*) FROM accounts").fetchone() == (1,)


def test_an_address_that_the_provider_gave_to_somebody_else_does_not_open_the_account(
    client, provider
):
    assert sign_in(client, provider, "k-4", email=EMAIL, email_verified=True).status_code == 200
    answer = sign_in(client, provider, "k-5", email=EMAIL, email_verified=True)
    assert problem(answer)[:2] == (409, "linked-to-another")


def test_a_second_factor_is_asked_for_all_the_same(client, provider, conn):
    account = store_account(conn, email=EMAIL)
    conn.execute(
        "INSERT INTO second_factors (account_id, encrypted_secret, confirmed_at)"
        " VALUES (%s, '', now())",
        [account],
    )
    answer = sign_in(client, provider, "k-6", email=EMAIL, email_verified=True).json()
    assert answer["tokens"] is None
    assert answer["challenge"]


def test_two_that_come_back_at_once_make_one_account(client, provider, conn):
    provider.knows("k-7", email=EMAIL, email_verified=True)
    requests = []
    for _ in range(3):
        begun = begin(client).json()
        body = {"flow": begun["flow"]} | provider.consent(begun["url"], "k-7")
        requests.append(("POST", "/v1/auth/oauth/island-id/finish", {"json": body}))
    answers = client.all_at_once(requests)
    assert [answer.status_code for answer in answers] == [200] * 3
    assert len({me(client, answer)["id"] for answer in answers}) == 1


def test_a_sign_in_is_finished_once(client, provider):
    provider.knows("k-8", email=EMAIL, email_verified=True)
    begun = begin(client).json()
    back = provider.consent(begun["url"], "k-8")
    body = {"flow": begun["flow"]} | back
    answers = client.all_at_once([("POST", "/v1/auth/oauth/island-id/finish", {"json": body})] * 3)
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400]


def test_what_somebody_else_began_is_not_finished(client, provider):
    """An attacker's code and state in the victim's app: the victim would act as the attacker."""
    provider.knows("k-9", email=EMAIL, email_verified=True)
    mine, theirs = begin(client).json(), begin(client).json()
    back = provider.consent(theirs["url"], "k-9")
    assert problem(finish(client, mine, back))[:2] == (400, "invalid-flow")


def test_a_sign_in_takes_at_most_ten_minutes(client, provider):
    provider.knows("k-10", email=EMAIL, email_verified=True)
    begun = begin(client).json()
    back = provider.consent(begun["url"], "k-10")
    client.app.dependency_overrides[now] = lambda: NOW + timedelta(minutes=10)
    assert problem(finish(client, begun, back))[:2] == (400, "invalid-flow")


def test_people_are_sent_back_only_to_apps_of_the_settings(client):
    status, code, wrong = problem(begin(client, redirect="https://evil.example.com"))
    assert (status, code, list(wrong)) == (422, "invalid-request", ["/redirectUri"])


def test_a_provider_that_is_not_configured_is_not_found(client):
    assert problem(begin(client, "facebook"))[:2] == (404, "unknown-provider")


def test_a_provider_that_does_not_answer_is_said_to(client):
    assert problem(begin(client, "gone"))[:2] == (502, "provider-failed")


def test_the_liar_is_believed_until_it_lies(client, liar):
    assert lie(client, liar).status_code == 200


def test_the_code_is_bound_to_who_asked_for_it(client, liar):
    """PKCE: what the provider got first is the hash of what it gets with the code."""
    begun = begin(client, "liar").json()
    query = {name: value for name, (value,) in parse_qs(urlsplit(begun["url"]).query).items()}
    assert query["code_challenge_method"] == "S256"
    assert begun["flow"] not in begun["url"]
    liar.claims = {"nonce": query["nonce"]}
    finish(client, begun, {"state": query["state"], "code": "a code"}, "liar")
    (verifier,) = liar.asked["code_verifier"]
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest())
    assert digest.decode().rstrip("=") == query["code_challenge"]


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "of another sign-in"},
        {"nonce": None},
        {"aud": "somebody-else"},
        {"iss": "https://accounts.example.com"},
        {"exp": 1_700_000_000},
        {"exp": None},
        {"sub": None},
        {"aud": [CLIENT_ID, "somebody-else"], "azp": "somebody-else"},
        {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
    ],
    ids=str,
)
def test_a_lie_is_not_believed(client, liar, conn, claims):
    assert problem(lie(client, liar, **claims))[:2] == (502, "provider-failed")
    assert conn.execute("SELECT count(*) FROM accounts").fetchone() == (0,)


def test_a_strangers_signature_is_not_believed(client, liar):
    liar.key = RSAKey.generate_key(2048, {"kid": "1"})
    assert problem(lie(client, liar))[:2] == (502, "provider-failed")


def test_a_signature_by_the_shared_secret_is_not_believed(client, liar):
    liar.key, liar.algorithm = OctKey.import_key(CLIENT_SECRET), "HS256"
    assert problem(lie(client, liar))[:2] == (502, "provider-failed")


def test_new_keys_of_the_provider_are_read(client, liar):
    assert lie(client, liar).status_code == 200
    liar.key = liar.published = RSAKey.generate_key(2048, {"kid": "1"})
    assert lie(client, liar).status_code == 200


@pytest.mark.parametrize(
    "answer",
    [{}, {"error": "invalid_grant"}, [], "no", {"id_token": 7}, {"id_token": "a.b.c"}, None],
    ids=str,
)
def test_an_answer_of_another_shape_is_the_providers_failure(client, liar, answer):
    liar.answer = answer if answer is not None else {"access_token": None}
    assert problem(lie(client, liar))[:2] == (502, "provider-failed")


def test_a_provider_does_not_speak_for_another(client, liar):
    liar.metadata = {"issuer": "https://accounts.example.com"}
    assert problem(begin(client, "liar"))[:2] == (502, "provider-failed")

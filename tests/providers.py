"""OpenID providers: a whole one as a process of its own, and one that lies as it is told."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import httpx2
from joserfc import jwt
from joserfc.jwk import RSAKey

from devstack.processes import free_port, wait_until

REDIRECT = "https://app.example.com/signed-in"
CLIENT_ID = "island-rides"
CLIENT_SECRET = "what the provider has given us"  # pragma: allowlist secret


class Provider:
    """oidc-provider-mock: it keeps people, asks for consent, and signs ID tokens."""

    def __init__(self, url: str) -> None:
        self.url = url

    def knows(self, subject: str, **claims: Any) -> None:
        httpx2.put(f"{self.url}/users/{subject}", json=claims).raise_for_status()

    def consent(self, url: str, subject: str) -> dict[str, str]:
        """What the person brings back to the app after agreeing: `code` and `state`."""
        answer = httpx2.post(url, data={"sub": subject})
        assert answer.status_code == 302, answer.text
        back = answer.headers["location"]
        assert back.startswith(REDIRECT)
        return {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}


@contextmanager
def running_provider() -> Iterator[Provider]:
    port = free_port()
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "oidc_provider_mock",
            "--port",
            str(port),
            "--require-nonce",
            "true",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        try:
            return httpx2.get(f"{url}/.well-known/openid-configuration").status_code == 200
        except httpx2.TransportError:
            return False

    try:
        assert wait_until(answers, timeout=20)
        yield Provider(url)
    finally:
        process.terminate()
        process.wait(10)


class Liar:
    """A provider that signs `claims` by `key` and `algorithm`; `asked` is what it was sent last."""

    def __init__(self) -> None:
        self.key = self.published = RSAKey.generate_key(2048, {"kid": "1"})
        self.algorithm = "RS256"
        self.claims: dict[str, Any] = {}
        self.metadata: dict[str, Any] = {}
        self.answer: Any = None
        self.asked: dict[str, list[str]] = {}
        liar = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.say(liar.published_at(self.path))

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                liar.asked = parse_qs(self.rfile.read(length).decode())
                self.say(liar.tokens())

            def say(self, document: Any) -> None:
                body = json.dumps(document).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def published_at(self, path: str) -> dict[str, Any]:
        if path == "/keys":
            return {"keys": [self.published.as_dict(private=False)]}
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
        } | self.metadata

    def tokens(self) -> Any:
        if self.answer is not None:
            return self.answer
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": CLIENT_ID,
            "sub": "liar-1",
            "iat": now,
            "exp": now + 60,
            "email": "keala@example.org",
            "email_verified": True,
        } | self.claims
        claims = {name: value for name, value in claims.items() if value is not None}
        header = {"alg": self.algorithm, "kid": "1"}
        signed = jwt.encode(header, claims, self.key, algorithms=[self.algorithm])
        return {"access_token": "opaque", "token_type": "Bearer", "id_token": signed}

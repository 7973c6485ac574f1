"""Settings of every process, read once from `RIDES_*` environment variables."""

import re
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import (
    BaseModel,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
CONSOLE = "console:"
# Ways to a mail server, and their ports unless the URL says another.
SMTP_PORTS = {"smtps": 465, "smtp+starttls": 587, "smtp": 25}
# What a server's address must look like: its client would say of another that it cannot be parsed,
# but neither which nor how one is written. Elasticsearch's client knows no port of its own.
_SERVERS = {
    "database_url": ("postgres(ql)?://", "postgresql://user:password@host:5432/rides"),
    "redis_url": ("(rediss?|unix)://", "redis://:password@host:6379/0"),
    "elasticsearch_url": (r"$|https?://[^/]+:\d+(/|$)", "http://host:9200"),
}


class MissingSecretError(RuntimeError):
    """`RIDES_SECRET_KEY` is not set; the message says how to make one."""


class OidcProvider(BaseModel):
    """An OpenID provider that people may sign in by."""

    issuer: str = Field(
        pattern=r"^https?://[^/]", description="its issuer; /.well-known/openid-configuration"
    )
    client_id: str = Field(description="what it knows this marketplace by")
    client_secret: SecretStr = Field(description="and the secret that goes with it")

    @field_validator("issuer")
    @classmethod
    def _private(cls, issuer: str) -> str:
        parts = urlsplit(issuer)
        if parts.scheme != "https" and parts.hostname not in LOOPBACK:
            msg = f"{issuer!r} can be listened in on: an issuer has https://"
            raise ValueError(msg)
        return issuer


class Settings(BaseSettings):
    """What a process needs to know about its surroundings.

    Secrets have no default: a process that needs one fails at start, naming the variable.
    """

    model_config = SettingsConfigDict(env_prefix="RIDES_", frozen=True, env_nested_delimiter="__")

    database_url: str = Field(
        "postgresql://rides:rides@127.0.0.1:5432/rides", description="PostgreSQL, the truth"
    )
    redis_url: str = Field("redis://127.0.0.1:6379/0", description="broker of the indexer's hints")
    elasticsearch_url: str = Field(
        "http://127.0.0.1:9200",
        description="search engine; empty: there is none, and PostgreSQL answers searches",
    )
    index_alias: str = Field(
        "vehicles", pattern=r"^[a-z][a-z0-9-]*$", description="alias that searches read"
    )
    secret_key: SecretStr | None = Field(
        None, min_length=32, description="signs bearer tokens and cursors; at least 32 characters"
    )
    host: str = Field("127.0.0.1", description="address that the API listens on")
    port: int = Field(8000, ge=1, le=65535, description="port that the API listens on")
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="origins of web apps whose browsers may call the API, comma-separated; "
        "empty: only pages of the API's own origin",
    )
    app_url: str = Field(
        "http://127.0.0.1:8000",
        pattern=r"^https?://[^/]",
        description="the app that links in mails lead to",
    )
    smtp_url: str = Field(
        "",
        description="mail server: smtps://user:password@host, smtp+starttls://… or, unencrypted, "
        "smtp://…; `console:` prints mails in the worker's log; empty: mails wait",
    )
    mail_from: str = Field(
        "Island Rides <no-reply@island-rides.example>", description="sender of mails"
    )
    oidc: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")], OidcProvider] = Field(
        {},
        description="providers by name: RIDES_OIDC__GOOGLE__ISSUER, __CLIENT_ID, __CLIENT_SECRET",
    )
    oidc_redirects: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="addresses of apps that a provider may send people back to, comma-separated"
    )
    rate_limits: bool = Field(
        True,
        description="limit everybody's requests to their tier's; false where a gateway does it",
    )
    public_url: str = Field(
        "", description="address by which clients reach the API; empty: its host and port"
    )
    media_bucket: str = Field(
        "", description="S3 bucket that stores photos; empty: a folder in state_dir does"
    )
    media_url: str = Field(
        "",
        description="where photos are read, such as the address of a CDN before the bucket; "
        "empty: from the API, out of its folder",
    )
    s3_endpoint: str = Field("", description="of an S3 that is not Amazon's, such as MinIO")
    cloudfront_distribution: str = Field(
        "", description="id of the CDN before the bucket, told of photos that are gone"
    )
    state_dir: Path = Field(Path(".rides"), description="where devstack and demo keep their state")
    time_zone: str = Field(
        "UTC", description="of the marketplace: where it is today when a renter writes tomorrow"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="log level")
    payments: Literal["none", "sandbox", "stripe"] = Field(
        "none", description="who takes payments: nobody, a pretence for trying out, or Stripe"
    )
    stripe_secret_key: SecretStr | None = Field(None, description="Stripe's secret API key")
    stripe_webhook_secret: SecretStr | None = Field(
        None, description="what Stripe signs its events with; without it, events are refused"
    )
    stripe_url: str = Field("https://api.stripe.com", description="where Stripe's API answers")
    pool_size: int = Field(20, ge=1, le=200, description="PostgreSQL connections per process")

    @field_validator("database_url", "redis_url", "elasticsearch_url")
    @classmethod
    def _server(cls, url: str, info: ValidationInfo) -> str:
        assert info.field_name
        form, example = _SERVERS[info.field_name]
        if not re.match(form, url):
            msg = f"is no address of such a server: write one such as {example}"
            raise ValueError(msg)
        return url

    @field_validator("time_zone")
    @classmethod
    def _known_time_zone(cls, name: str) -> str:
        if name not in available_timezones():
            msg = f"{name!r} is no IANA time zone: write one such as Pacific/Honolulu"
            raise ValueError(msg)
        return name

    @field_validator("stripe_secret_key", "stripe_webhook_secret", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: Any) -> Any:
        return value or None

    @field_validator("smtp_url")
    @classmethod
    def _known_way(cls, url: str) -> str:
        parts = urlsplit(url)
        if url not in {"", CONSOLE} and (parts.scheme not in SMTP_PORTS or not parts.hostname):
            msg = f"no mail server: write smtps://user:password@host[:465] or {CONSOLE}"
            raise ValueError(msg)
        return url

    @field_validator("cors_origins", "oidc_redirects", mode="before")
    @classmethod
    def _comma_separated(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("cors_origins")
    @classmethod
    def _exact_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            parts = urlsplit(origin)
            # A browser sends just scheme, host and port: anything else would never match.
            exact = f"{parts.scheme}://{parts.netloc}".lower()
            if parts.scheme not in {"http", "https"} or not parts.hostname or origin != exact:
                msg = f"{origin!r} is no origin: write one such as https://app.example.com"
                raise ValueError(msg)
        return origins

    @field_validator("public_url", "media_url", "s3_endpoint")
    @classmethod
    def _address(cls, url: str) -> str:
        if url and (urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname):
            msg = f"{url!r} is no address: write one such as https://cdn.example.com"
            raise ValueError(msg)
        return url.rstrip("/")

    @model_validator(mode="after")
    def _readable_bucket(self) -> Self:
        if self.media_bucket and not self.media_url:
            msg = "RIDES_MEDIA_URL must say where the photos of RIDES_MEDIA_BUCKET are read"
            raise ValueError(msg)
        return self

    @property
    def api_address(self) -> str:
        """Where clients reach the API."""
        if self.public_url:
            return self.public_url
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def media_address(self) -> str:
        """Where clients read photos."""
        return self.media_url or f"{self.api_address}/media"

    @property
    def media_dir(self) -> Path:
        """Where photos are stored without a bucket."""
        return self.state_dir / "media"

    def require_secret(self) -> str:
        """The signing secret.

        Raises:
            MissingSecretError: no secret is set.
        """
        if self.secret_key is None:
            msg = "RIDES_SECRET_KEY is not set: make one with `openssl rand -hex 32` and export it"
            raise MissingSecretError(msg)
        return self.secret_key.get_secret_value()


@lru_cache
def settings() -> Settings:
    """The settings of this process; `settings.cache_clear()` rereads the environment."""
    return Settings()

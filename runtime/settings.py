"""Settings of every process, read once from `RIDES_*` environment variables."""

from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class Settings(BaseSettings):
    """What a process needs to know about its surroundings.

    Secrets have no default: a process that needs one fails at start, naming the variable.
    """

    model_config = SettingsConfigDict(env_prefix="RIDES_", frozen=True)

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

    @field_validator("cors_origins", mode="before")
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

    def require_secret(self) -> str:
        """The signing secret.

        Raises:
            RuntimeError: no secret is set; the message names the variable and a way to make one.
        """
        if self.secret_key is None:
            msg = "RIDES_SECRET_KEY is not set: make one with `openssl rand -hex 32` and export it"
            raise RuntimeError(msg)
        return self.secret_key.get_secret_value()


@lru_cache
def settings() -> Settings:
    """The settings of this process; `settings.cache_clear()` rereads the environment."""
    return Settings()

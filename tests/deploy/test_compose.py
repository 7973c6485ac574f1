"""`docker-compose.yml` is held to what it repeats: versions, settings, commands.

`complaints` is one list of what is wrong with a compose file. Ours has none, and each way to break
it is noticed.
"""

import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from celery.bin.celery import celery as celery_command
from click.testing import CliRunner as ClickRunner
from pydantic import ValidationError
from sqlalchemy.engine import make_url
from typer.testing import CliRunner as TyperRunner

from cli.main import app as rides
from devstack import elasticsearch, postgres, versions
from runtime.settings import Settings

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()

SERVERS = {
    "postgres": (versions.POSTGRES_IMAGE, versions.POSTGRES_PORT),
    "valkey": (versions.VALKEY_IMAGE, versions.VALKEY_PORT),
    "elasticsearch": (versions.ELASTICSEARCH_IMAGE, versions.ELASTICSEARCH_PORT),
}
ONE_SHOT = {"migrate", "reindex"}
LASTING = {"api", "worker", "beat"}
SECRETS = dict.fromkeys(("RIDES_SECRET_KEY", "POSTGRES_PASSWORD", "VALKEY_PASSWORD"), "5" * 64)
DOLLAR = re.compile(r"(?<!\$)\$\{(\w+)(?::([-?])([^}]*))?\}")

Service = dict[str, Any]
Compose = dict[str, Any]


def interpolated(value: str) -> str:
    """The value as compose passes it on when only the secrets are set."""
    return DOLLAR.sub(
        lambda match: SECRETS.get(match[1], match[3] if match[2] == "-" else ""), value
    ).replace("$$", "$")


def complaints(compose: Compose) -> list[str]:
    services = compose["services"]
    if set(services) != {*SERVERS, *ONE_SHOT, *LASTING}:
        return [f"services are {sorted(services)}"]
    return [
        f"{name}: {wrong}"
        for check in (image, ports, life, dependencies, guards, secrets, variables, command)
        for name, service in services.items()
        for wrong in check(name, service, services)
    ] + [*postgres_settings(services["postgres"]), *elastic_settings(services["elasticsearch"])]


def image(name: str, service: Service, _services: Compose) -> Iterator[str]:
    wanted = SERVERS[name][0] if name in SERVERS else "island-rides"
    if service["image"] != wanted:
        yield f"image is {service['image']}, not {wanted}"
    if name not in SERVERS and service.get("build") != ".":
        yield "is not built from this repository"


def ports(name: str, service: Service, _services: Compose) -> Iterator[str]:
    if name in SERVERS:
        wanted = [f"127.0.0.1:{SERVERS[name][1]}:{SERVERS[name][1]}"]
    else:
        own = Settings.model_fields["port"].default
        wanted = [f"${{RIDES_PORT:-{own}}}:{own}"] if name == "api" else []
    if service.get("ports", []) != wanted:
        yield f"publishes {service.get('ports')}, not {wanted}"


def life(name: str, service: Service, _services: Compose) -> Iterator[str]:
    health = service.get("healthcheck", {})
    if name in ONE_SHOT:
        if service["restart"] != "no" or health != {"disable": True}:
            yield "runs once: restart is no, the image's health check is disabled"
        return
    if service["restart"] != "unless-stopped":
        yield "is not restarted"
    # The image checks the API, and only the image's own command is the API.
    of_image = name == "api" and "command" not in service and not health
    if not of_image and not {"test", "interval", "timeout", "retries"} <= set(health):
        yield "has no health check"


def dependencies(_name: str, service: Service, services: Compose) -> Iterator[str]:
    waits = service.get("depends_on", {})
    for other, how in waits.items():
        wanted = (
            "service_completed_successfully" if other in ONE_SHOT else "service_healthy"
        )  # fmt: skip
        if other not in services or how["condition"] != wanted:
            yield f"waits for {other} to be {how['condition']}, not {wanted}"


def guards(name: str, service: Service, _services: Compose) -> Iterator[str]:
    if service.get("security_opt") != ["no-new-privileges:true"]:
        yield "may gain privileges"
    if name != "elasticsearch" and service.get("read_only") is not True:
        yield "has a writable root"
    if name not in {"postgres", "valkey"} and service.get("cap_drop") != ["ALL"]:
        yield "keeps capabilities"
    limits = service.get("deploy", {}).get("resources", {}).get("limits", {})
    if not {"cpus", "memory"} <= set(limits):
        yield "has no limits"


def secrets(_name: str, service: Service, _services: Compose) -> Iterator[str]:
    for variable, value in service["environment"].items():
        # Somebody else's secrets, which only some need: nobody can make them.
        if variable.startswith("RIDES_STRIPE_") and value == f"${{{variable}:-}}":
            continue
        if re.search("SECRET|PASSWORD|TOKEN|KEY", variable) and not re.fullmatch(
            rf"\$\{{{variable}:\?[^}}]*openssl rand[^}}]*\}}", value
        ):
            yield f"{variable} is not asked of the environment with a way to make one"
        if re.search(r"://[^/@]*:(?!\$\{\w+\}@)[^/@]*@", value):
            yield f"{variable} carries a password"
    words = service.get("command", [])
    for option, value in pairwise(words):
        if option == "--requirepass" and not value.startswith("${"):
            yield "the command carries a password"


def variables(name: str, service: Service, services: Compose) -> Iterator[str]:
    """The RIDES_* variables are settings, are accepted, and lead to the services."""
    known = {f"RIDES_{field.upper()}": field for field in Settings.model_fields}
    given = {key: value for key, value in service["environment"].items() if key.startswith("RIDES")}
    if unknown := given.keys() - known:
        yield f"{sorted(unknown)} are no settings"
        return
    if name in SERVERS:
        return
    # Not the secret that this test run has in its own environment.
    values: dict[str, Any] = {"secret_key": None}
    values |= {known[key]: interpolated(value) for key, value in given.items()}
    try:
        settings = Settings(**values)
    except ValidationError as error:
        yield f"its settings are refused: {error}"
        return
    if name == "api" and settings.secret_key is None:
        yield "has no secret to sign with"
    yield from addresses(settings, services)


def addresses(settings: Settings, services: Compose) -> Iterator[str]:
    for url in (settings.database_url, settings.redis_url, settings.elasticsearch_url):
        parts = make_url(url)
        if parts.host not in SERVERS or parts.port != SERVERS[parts.host][1]:
            yield f"{parts.host}:{parts.port} is no server of this file"
            continue
        server = services[parts.host]["environment"]
        key = {"postgres": "POSTGRES_PASSWORD", "valkey": "VALKEY_PASSWORD"}.get(parts.host)
        if key and parts.password != interpolated(server[key]):
            yield f"{parts.host} has another password"
    database = make_url(settings.database_url)
    own = services["postgres"]["environment"]
    if (database.username, database.database) != (own["POSTGRES_USER"], own["POSTGRES_DB"]):
        yield "the database has another name or owner"


def command(name: str, service: Service, _services: Compose) -> Iterator[str]:
    """Commands and options of ours exist: `--help` after an unknown one is an error."""
    if name in SERVERS or "command" not in service:
        return
    words = [*service["command"], "--help"]
    if words[0] == "celery":
        if words[1:3] != ["-A", "indexer.tasks"]:
            yield "celery is told another application"
        told = ClickRunner().invoke(celery_command, words[1:])
        code, output = told.exit_code, told.output
    else:
        answer = TyperRunner().invoke(rides, words[1:])
        code, output = answer.exit_code, answer.output
    if code != 0:
        yield f"{words[0]} refuses {words[1:]}: {output}"


def postgres_settings(service: Service) -> Iterator[str]:
    options = [word for word in service["command"] if "=" in word]
    own = postgres._options(0, durable=True)
    for name, value in (option.split("=") for option in options):
        if own.get(name) != value:
            yield f"postgres: {name} is {value}, in devstack {own.get(name)}"
    # Since 18 the image declares the parent; a mount at .../data would stay empty.
    if service["volumes"] != ["postgres:/var/lib/postgresql"]:
        yield "postgres: data would be lost with the container"
    if "--host=127.0.0.1" not in service["healthcheck"]["test"]:
        yield "postgres: the temporary server of its first start would pass for healthy"


def elastic_settings(service: Service) -> Iterator[str]:
    heap = {"ES_JAVA_OPTS": f"-Xms{elasticsearch.HEAP} -Xmx{elasticsearch.HEAP}"}
    for name, value in (elasticsearch.SETTINGS | heap).items():
        if service["environment"].get(name) != value:
            yield f"elasticsearch: {name} is {service['environment'].get(name)}, not {value}"
    if service["volumes"] != ["elasticsearch:/usr/share/elasticsearch/data"]:
        yield "elasticsearch: data would be lost with the container"


def test_the_file_agrees_with_the_code() -> None:
    assert complaints(yaml.safe_load(TEXT)) == []


def test_every_named_variable_is_a_setting_or_a_server_password() -> None:
    named = set(re.findall(r"\bRIDES_[A-Z_]+", TEXT))
    assert named
    assert named <= {f"RIDES_{field.upper()}" for field in Settings.model_fields}
    assert {match[1] for match in DOLLAR.finditer(TEXT)} - named == SECRETS.keys() - named


def test_volumes_are_declared() -> None:
    compose = yaml.safe_load(TEXT)
    used = {
        volume.split(":")[0]
        for service in compose["services"].values()
        for volume in service.get("volumes", [])
    }
    assert used == set(compose["volumes"])


def put(*path: str | int, value: Any) -> Callable[[Compose], None]:
    """A change of one place in the services."""

    def change(compose: Compose) -> None:
        place = compose["services"]
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value

    return change


def drop(*path: str | int) -> Callable[[Compose], None]:
    def change(compose: Compose) -> None:
        place = compose["services"]
        for step in path[:-1]:
            place = place[step]
        del place[path[-1]]

    return change


def swap(service: str, old: str, new: str) -> Callable[[Compose], None]:
    """One word of a command replaced."""

    def change(compose: Compose) -> None:
        words = compose["services"][service]["command"]
        words[words.index(old)] = new

    return change


@pytest.mark.parametrize(
    ("breakage", "noticed"),
    [
        (drop("beat"), "services are"),
        (put("postgres", "image", value="postgres:17"), "postgres: image is postgres:17"),
        (put("worker", "build", value="https://example.org"), "worker: is not built"),
        (put("elasticsearch", "ports", value=["9200:9200"]), "elasticsearch: publishes"),
        (put("worker", "ports", value=["9000:9000"]), "worker: publishes"),
        (drop("beat", "healthcheck"), "beat: has no health check"),
        (put("api", "command", value=["rides", "up"]), "api: has no health check"),
        (put("valkey", "restart", value="no"), "valkey: is not restarted"),
        (put("migrate", "restart", value="always"), "migrate: runs once"),
        (
            put("api", "depends_on", "migrate", "condition", value="service_started"),
            "api: waits for migrate",
        ),
        (put("api", "depends_on", "redis", value={"condition": "service_healthy"}), "api: waits"),
        (drop("postgres", "security_opt"), "postgres: may gain privileges"),
        (drop("api", "read_only"), "api: has a writable root"),
        (drop("worker", "cap_drop"), "worker: keeps capabilities"),
        (drop("worker", "deploy"), "worker: has no limits"),
        (
            put("api", "environment", "RIDES_SECRET_KEY", value="5" * 64),
            "api: RIDES_SECRET_KEY is not asked of the environment",
        ),
        (
            put("api", "environment", "RIDES_REDIS_URL", value="redis://:hunter2@valkey:6379/0"),
            "api: RIDES_REDIS_URL carries a password",
        ),
        (
            put("worker", "environment", "RIDES_REDIS_URL", value="redis://valkey:6379/0"),
            "worker: valkey has another password",
        ),
        (
            swap("valkey", "${VALKEY_PASSWORD:?make one with openssl rand -hex 32}", "hunter2"),
            "valkey: the command carries a password",
        ),
        (put("api", "environment", "RIDES_REDIS", value=""), "api: ['RIDES_REDIS'] are no"),
        (put("api", "environment", "RIDES_LOG_LEVEL", value="loud"), "api: its settings are"),
        (
            put("api", "environment", "RIDES_ELASTICSEARCH_URL", value="http://elastic:9200"),
            "api: elastic:9200 is no server",
        ),
        (drop("api", "environment", "RIDES_SECRET_KEY"), "api: has no secret"),
        (put("postgres", "environment", "POSTGRES_DB", value="cars"), "the database has another"),
        (swap("migrate", "migrate", "upgrade"), "migrate: rides refuses"),
        (swap("reindex", "--if-needed", "--if-wanted"), "reindex: rides refuses"),
        (swap("worker", "indexer.tasks", "indexer.task"), "worker: celery is told"),
        (swap("beat", "beat", "beats"), "beat: celery refuses"),
        (swap("worker", "--without-gossip", "--without-gossips"), "worker: celery refuses"),
        (swap("postgres", "work_mem=16MB", "work_mem=4MB"), "postgres: work_mem is 4MB"),
        (put("postgres", "volumes", value=["postgres:/data"]), "postgres: data would be lost"),
        (put("postgres", "healthcheck", "test", value=["CMD", "pg_isready"]), "temporary server"),
        (
            drop("elasticsearch", "environment", "action.auto_create_index"),
            "elasticsearch: action.auto_create_index is None",
        ),
        (
            put("elasticsearch", "environment", "ES_JAVA_OPTS", value="-Xmx4g"),
            "elasticsearch: ES_JAVA_OPTS is -Xmx4g",
        ),
        (drop("elasticsearch", "volumes", 0), "elasticsearch: data would be lost"),
    ],
)
def test_a_file_that_disagrees_is_noticed(
    breakage: Callable[[Compose], None], noticed: str
) -> None:
    # A copy by value: YAML's merge keys make services share one mapping.
    compose = deepcopy(yaml.safe_load(TEXT))
    for name in compose["services"]:
        compose["services"][name] = deepcopy(compose["services"][name])
    breakage(compose)
    assert any(noticed in wrong for wrong in complaints(compose)), complaints(compose)

"""The image: what its recipe promises, and that the wheel it installs is whole and stands alone.

There may be no container engine here, so the recipe is read and its parts are tried one by one.
"""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest

from api.routes import health
from runtime.settings import Settings

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "Dockerfile").read_text()
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
ROOMS = {
    pattern.rstrip("*")
    for pattern in PYPROJECT["tool"]["setuptools"]["packages"]["find"]["include"]
}

Instruction = tuple[str, str]


def instructions(text: str) -> list[Instruction]:
    """Instruction and argument, one entry each, comments gone and continued lines joined."""
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    joined = re.sub(r"\s*\\\n\s*", " ", lines)
    return [
        (word, rest)
        for word, _, rest in (line.partition(" ") for line in joined.splitlines() if line)
    ]


def complaints(text: str) -> Iterator[str]:
    steps = instructions(text)
    bases = {rest.split()[0] for word, rest in steps if word == "FROM"}
    wanted = PYPROJECT["project"]["requires-python"].removeprefix(">=")
    if len(bases) != 1 or not all(
        re.fullmatch(rf"python:{re.escape(wanted)}\.\d+-slim-\w+", base) for base in bases
    ):
        yield f"bases {bases} are not one pinned slim Python {wanted}"
    for _, rest in (step for step in steps if step[0] == "RUN"):
        for call in re.findall(r"\bpip\b[^&]*?\binstall\b[^&]*", rest):
            if "--require-hashes" not in call and "--no-index" not in call:
                yield f"installs without hashes: {call}"
    if re.search(r"(?i)(secret|password|token)\w*=", text):
        yield "carries a secret"
    yield from final_complaints(steps)


def final_complaints(steps: list[Instruction]) -> Iterator[str]:
    """What is wrong with the stage that is shipped."""
    final = steps[max(i for i, step in enumerate(steps) if step[0] == "FROM") :]
    last = dict(final)
    if not re.fullmatch(r"[1-9]\d+:[1-9]\d+", last.get("USER", "")):
        yield "does not run as a numbered user"
    if any(word in {"COPY", "ADD"} and not rest.startswith("--from=build") for word, rest in final):
        yield "the final image takes more than what was built"
    paths = [str(getattr(route, "path", "")) for route in health.router.routes]
    checked = re.search(r"\{?\}(/health\S*?)\\?\"", last.get("HEALTHCHECK", ""))
    if checked is None or checked[1] not in paths or checked[1] != "/health/live":
        yield "the health check does not ask /health/live"
    if json.loads(last.get("CMD", "[]")) != ["rides", "serve"]:
        yield "does not serve"
    if "RIDES_HOST=0.0.0.0" not in last.get("ENV", ""):
        yield "listens to itself only"
    if last.get("EXPOSE") != str(Settings.model_fields["port"].default):
        yield "exposes another port than it listens on"


def test_the_recipe_keeps_its_promises() -> None:
    assert list(complaints(TEXT)) == []


@pytest.mark.parametrize(
    ("old", "new", "noticed"),
    [
        ("python:3.11.", "python:3.13.", "bases"),
        ("-slim-trixie", "", "bases"),
        ("USER 10001:10001", "USER rides", "numbered user"),
        ("USER 10001:10001\n", "", "numbered user"),
        ("--require-hashes --only-binary", "--only-binary", "without hashes"),
        ("--no-deps --no-index", "--no-deps", "without hashes"),
        ("COPY --from=build /opt/rides", "COPY . ", "takes more"),
        ("/health/live", "/health/alive", "health check"),
        ("HEALTHCHECK", "LABEL", "health check"),
        ('"serve"]', '"demo"]', "does not serve"),
        ("RIDES_HOST=0.0.0.0", "RIDES_HOST=127.0.0.1", "itself only"),
        ("EXPOSE 8000", "EXPOSE 80", "another port"),
        ("RIDES_HOST=0.0.0.0", "RIDES_HOST=0.0.0.0 RIDES_SECRET_KEY=x", "carries a secret"),
    ],
)
def test_a_recipe_that_breaks_them_is_noticed(old: str, new: str, noticed: str) -> None:
    assert old in TEXT
    wrong = list(complaints(TEXT.replace(old, new)))
    assert any(noticed in complaint for complaint in wrong), wrong


def test_the_health_check_is_a_program_that_python_reads() -> None:
    check = dict(instructions(TEXT))["HEALTHCHECK"]
    program = json.loads(check.partition("CMD ")[2])
    assert program[:2] == ["python", "-c"]
    compile(program[2], "HEALTHCHECK", "exec")


def test_the_build_gets_the_rooms_and_nothing_else() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    allowed = {rule[1:] for rule in rules if rule.startswith("!")}
    assert allowed == ROOMS | {"pyproject.toml", "requirements"}
    assert all((ROOT / name).exists() for name in allowed)


def test_the_build_backend_is_taken_from_the_lock() -> None:
    program = re.search(r"awk '([^']+)'", TEXT)
    assert program is not None
    lock = subprocess.run(
        ["awk", program[1], ROOT / "requirements" / "dev.txt"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert re.findall(r"^([a-z-]+)==", lock, re.MULTILINE) == ["setuptools"]
    assert "--hash=sha256:" in lock


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel as the image builds it: from the rooms and `pyproject.toml` alone."""
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    shutil.copy(ROOT / "pyproject.toml", source)
    for room in ROOMS:
        shutil.copytree(
            ROOT / room, source / room, ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
        )
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check",
         "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", built, source],
        check=True,
    )  # fmt: skip
    (path,) = built.glob("*.whl")
    return path


def test_the_wheel_holds_every_file_of_every_room(wheel: Path) -> None:
    packed = set(ZipFile(wheel).namelist())
    ours = {
        str(path.relative_to(ROOT))
        for room in ROOMS
        for path in (ROOT / room).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert "migrations/sql/triggers.sql" in ours
    assert ours - packed == set(), "add them to [tool.setuptools.package-data]"


def test_the_locked_runtime_is_enough(wheel: Path, tmp_path: Path) -> None:
    """Development packages are hidden, the wheel is unpacked: every process still imports."""
    ZipFile(wheel).extractall(tmp_path)
    hidden = locked("dev") - locked("runtime")
    assert {"psutil", "pytest"} <= hidden
    modules = ["cli.main", "api.app", "indexer.tasks", "migrations.sql"]
    program = f"""
import importlib, importlib.metadata, re, sys
for module, distributions in importlib.metadata.packages_distributions().items():
    if {{re.sub("[-_.]+", "-", d).lower() for d in distributions}} <= {hidden!r}:
        sys.modules[module] = None
for module in {modules!r}:
    assert importlib.import_module(module).__file__.startswith({str(tmp_path)!r})
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def locked(name: str) -> set[str]:
    """The packages that a lock names."""
    lock = (ROOT / "requirements" / f"{name}.txt").read_text()
    return set(re.findall(r"^([a-z0-9-]+)==", lock, re.MULTILINE))

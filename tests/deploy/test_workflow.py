"""CI runs what the README says, with what the tests need, and may do no more than that."""

import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from devstack import versions

ROOT = Path(__file__).parents[2]
WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())


def complaints(workflow: dict[Any, Any]) -> Iterator[str]:
    if workflow.get("permissions") != {"contents": "read"}:
        yield "may do more than read"
    if "group" not in workflow.get("concurrency", {}):
        yield "runs pile up"
    job = workflow["jobs"]["test"]
    if "permissions" in job or "services" in job:
        yield "a job has permissions or services of its own; devstack starts the servers"
    if not 0 < job.get("timeout-minutes", 0) <= 30:
        yield "may hang for longer than half an hour"
    steps = job["steps"]
    runs = [step for step in steps if step.get("run") == ".ci/run"]
    if not runs or runs[0].get("env", {}).get("CI") != "true":
        yield "does not run .ci/run with CI=true"
    yield from tool_complaints(steps)


def tool_complaints(steps: list[dict[str, Any]]) -> Iterator[str]:
    used = {}
    for step in steps:
        if "uses" in step:
            name, _, version = step["uses"].partition("@")
            used[name] = step.get("with", {})
            if not re.fullmatch(r"v\d+|[0-9a-f]{40}", version):
                yield f"{name} is not pinned"
    base = re.search(r"^FROM python:(\d+\.\d+)\.", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    if base is None or used.get("actions/setup-python", {}).get("python-version") != base[1]:
        yield "tests another Python than the image has"
    if int(used.get("actions/setup-java", {}).get("java-version", 0)) < versions.JDK_MINIMUM:
        yield "Elasticsearch has no JDK to run on"
    if not any(step.get("run", "").startswith("mvn ") for step in steps):
        yield "nothing shows that Maven is there"
    logs = used.get("actions/upload-artifact", {})
    if not logs.get("path", "").endswith(".log") or not logs.get("include-hidden-files"):
        yield "logs of a failure are lost, or more than logs is kept"


def test_the_workflow_is_whole() -> None:
    assert list(complaints(WORKFLOW)) == []
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111, "git update-index --chmod=+x .ci/run"


def job(workflow: dict[Any, Any]) -> dict[str, Any]:
    found: dict[str, Any] = workflow["jobs"]["test"]
    return found


def step(workflow: dict[Any, Any], text: str) -> dict[str, Any]:
    found: dict[str, Any] = next(step for step in job(workflow)["steps"] if text in str(step))
    return found


@pytest.mark.parametrize(
    ("breakage", "noticed"),
    [
        (lambda w: w.update(permissions="write-all"), "more than read"),
        (lambda w: w.pop("concurrency"), "pile up"),
        (lambda w: job(w).update(services={"postgres": {}}), "services of its own"),
        (lambda w: job(w).pop("timeout-minutes"), "hang"),
        (lambda w: step(w, ".ci/run").update(run="pytest"), ".ci/run"),
        (lambda w: step(w, ".ci/run").pop("env"), ".ci/run"),
        (lambda w: step(w, "checkout").update(uses="actions/checkout@main"), "not pinned"),
        (lambda w: step(w, "setup-python")["with"].update({"python-version": "3.9"}), "Python"),
        (lambda w: step(w, "setup-java")["with"].update({"java-version": "17"}), "JDK"),
        (lambda w: step(w, "mvn ").update(run="true"), "Maven"),
        (lambda w: step(w, "upload")["with"].update(path=".rides"), "more than logs"),
    ],
)
def test_a_workflow_that_lacks_something_is_noticed(
    breakage: Callable[[dict[Any, Any]], object], noticed: str
) -> None:
    workflow = deepcopy(WORKFLOW)
    breakage(workflow)
    wrong = list(complaints(workflow))
    assert any(noticed in complaint for complaint in wrong), wrong

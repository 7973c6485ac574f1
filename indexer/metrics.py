"""The index in Prometheus' words, from what PostgreSQL knows: any process may say it."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from indexer.lag import BOUNDS, Lag
from indexer.status import KINDS, Facts
from models import BuildState


def render(facts: Facts) -> bytes:
    """The text that a Prometheus server scrapes."""
    registry = CollectorRegistry()
    registry.register(_Known(facts))
    return generate_latest(registry)


@dataclass(frozen=True, eq=False)
class _Known(Collector):
    facts: Facts

    def collect(self) -> Iterator[Metric]:
        """Every metric, once."""
        known = self.facts
        yield _lag(known.lag)
        for name, help_, value in (
            ("dirty_rows", "Changes that are not searchable yet", known.dirty_rows),
            ("retrying_rows", "Of them, tried before", known.retrying_rows),
            ("age_seconds", "Age of the oldest of them", known.index_age_ms / 1000),
            ("dead_letters", "Vehicles that an index refused", known.dead_letters),
            ("alarms", "What `rides index status` says that somebody must do", len(known.alarms())),
        ):
            yield GaugeMetricFamily(f"rides_index_{name}", help_, value=value)
        yield self._builds()
        yield from self._audits()

    def _builds(self) -> Metric:
        metric = GaugeMetricFamily(
            "rides_index_builds", "Index builds by state", labels=["state", "failing"]
        )
        for state in BuildState:
            if state == BuildState.DROPPED:
                continue
            for failing in (False, True):
                found = [
                    build
                    for build in self.facts.builds
                    if build.state == state and bool(build.failing_since) == failing
                ]
                metric.add_metric([state, str(failing).lower()], len(found))
        return metric

    def _audits(self) -> Iterator[Metric]:
        found = GaugeMetricFamily(
            "rides_audit_differences",
            "What the last whole audit of a store found",
            labels=["store", "kind"],
        )
        ended = GaugeMetricFamily(
            "rides_audit_finished_timestamp_seconds", "When it ended", labels=["store"]
        )
        for audit in self.facts.audits:
            ended.add_metric([audit["store"]], audit["finished_at"].timestamp())
            for kind in KINDS:
                found.add_metric([audit["store"], kind], audit[kind])
        yield found
        yield ended


def _lag(lag: Lag) -> Metric:
    metric = HistogramMetricFamily(
        "rides_index_lag_seconds", "From a change to its being searchable"
    )
    names = [*map(str, BOUNDS), "+Inf"]
    metric.add_metric(
        [], list(zip(names, accumulate(lag.counts), strict=True)), sum_value=lag.seconds
    )
    return metric

"""What a scrape of many databases holds up, beside what the client library would take.

    python bench/scrape.py [--databases 1000] [--runs 7]

Both print the same series, byte for byte: ours joins the fragments that each look left
behind, the peer formats every sample of every database again, as a collector does.
Figures are medians of one thread and only worth something as ratios; a scrape holds the
event loop for as long as ours takes, and 50 ms is what it may take for 1000 databases.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from monitor.core.checkup import CheckName, CheckRecord, CheckReport, advance_check
from monitor.core.record import Record
from monitor.core.report import Report
from monitor.core.smoke import StepOutcome, StepStatus, SuiteOutcome
from monitor.core.suite_states import SuiteState
from monitor.core.verdict import State
from monitor.sinks.families import DATABASE_FAMILIES
from monitor.sinks.metrics import Metrics, Watched

NOW: Final = datetime(2026, 11, 27, tzinfo=UTC)
SUITE: Final = "signup"


def make_metrics(databases: int) -> Metrics:
    """Metrics of a fleet that was looked at: schema, orphans, and a smoke suite each."""
    metrics = Metrics("bench")
    for number in range(databases):
        name = f"db{number:05}"
        metrics.watch(name, Watched("production", "lock", "db.internal:5432", 60.0))
        metrics.watch_check(name, CheckName.ORPHANS, 86400.0)
        metrics.watch_suite(name, SUITE, 600.0)
        metrics.see(_make_record(name), {})
        metrics.see_check(_make_check(name, CheckName.ORPHANS), {})
        metrics.see_check(_make_check(name, CheckName.SMOKE), {})
        metrics.see_deployment(name, NOW)
    return metrics


def _make_record(name: str) -> Record:
    report = Report(
        environment="production",
        database=name,
        at=NOW,
        state=State.IN_SYNC,
        seconds=0.02,
        summary="",
        revisions=("9f1c2ab34d10",),
        expected_revisions=("9f1c2ab34d10",),
        pending=(),
        fingerprint="f",
        server_version=180001,
    )
    return Record(
        environment="production",
        database=name,
        report=report,
        state_since=NOW,
        last_success=NOW,
        revisions=("9f1c2ab34d10",),
        schema_changed=NOW,
    )


def _make_check(name: str, check: CheckName) -> CheckRecord:
    step = StepOutcome(name="ask", status=StepStatus.PASS, seconds=0.1, tries=1, code=200)
    outcome = SuiteOutcome(
        name=SUITE, database=name, run_id="r", at=NOW, seconds=0.1, steps=(step,)
    )
    suites = (SuiteState(outcome=outcome, good=1, passed=NOW),)
    report = CheckReport(
        environment="production",
        database=name,
        check=check,
        at=NOW,
        suites=suites if check is CheckName.SMOKE else (),
        ran=SUITE if check is CheckName.SMOKE else "",
    )
    return advance_check(None, report)


class Peer(Collector):
    """The same samples as the client library holds and prints them."""

    def __init__(self, page: bytes) -> None:
        families = text_string_to_metric_families(page.decode())
        self._families = [(family.name, family.type, [*family.samples]) for family in families]

    def collect(self) -> Iterable[Metric]:
        """One family after the other, made anew, as a collector over a ledger does."""
        return self._make()

    def _make(self) -> Iterator[Metric]:
        for name, kind, samples in self._families:
            names = sorted(samples[0].labels)
            make = CounterMetricFamily if kind == "counter" else GaugeMetricFamily
            text = DATABASE_FAMILIES[samples[0].name].text
            family = make(name, text, labels=names)
            for sample in samples:
                family.add_metric([sample.labels[label] for label in names], sample.value)
            yield family


def measure(act: Callable[[], object], runs: int) -> float:
    """The median of so many runs, in seconds."""
    took = []
    for _ in range(runs):
        begun = time.perf_counter()
        act()
        took.append(time.perf_counter() - begun)
    return statistics.median(took)


def main() -> None:
    """Print both figures and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--databases", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=7)
    given = parser.parse_args()
    metrics = make_metrics(given.databases)
    names = [f"db{number:05}" for number in range(given.databases)]
    page = metrics.render(names)
    registry = CollectorRegistry()
    registry.register(Peer(page))
    assert sorted(generate_latest(registry).splitlines()) == sorted(page.splitlines())  # noqa: S101  # else it is no comparison
    ours = measure(metrics.render, given.runs)
    peer = measure(lambda: generate_latest(registry), given.runs)
    series = sum(not line.startswith(b"#") for line in page.splitlines())
    print(f"{given.databases} databases, {series} series, {len(page) / 1e6:.1f} MB")
    print(f"joined fragments   {ours * 1000:8.1f} ms   1.0")
    print(f"client library     {peer * 1000:8.1f} ms   {peer / ours:.1f}")


if __name__ == "__main__":
    main()

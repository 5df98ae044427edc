"""Smoke suites: does the application do what people need, how fast, and until when."""

from typing import Final

from grafana_foundation_sdk.builders import dashboard

from grafana.frame import (
    Section,
    assemble,
    begin,
    choice,
    common_marks,
    common_variables,
    to_database,
)
from grafana.pieces import (
    BAD,
    MOMENT,
    SECONDS,
    YES_NO,
    Asked,
    Column,
    Grid,
    Look,
    Panel,
    graph,
    grid,
    happenings,
    number,
    timeline,
)

AGENTS: Final = 'job=~"$job",instance=~"$instance"'
WHERE: Final = f'{AGENTS},database=~"$database",suite=~"$suite"'
EXPIRY: Final = "anchorwatch_smoke_certificate_expiry_timestamp_seconds"
DAYS: Final = Look("d", ((None, "red"), (7, "orange"), (14, "yellow"), (30, "green")), 0)
STATUS: Final = Look(
    "none",
    ((None, "red"), (1, "purple"), (200, "green"), (300, "blue"), (400, "orange"), (500, "red")),
)
"""By the class of the status; 0 is no answer."""


def make() -> dashboard.Dashboard:
    """The dashboard of the smoke suites that are chosen."""
    made = begin(
        "anchorwatch-smoke",
        "anchorwatch smoke tests",
        "Whether the application does what people need: suites, steps, times and certificates.",
    )
    agents = choice(
        "instance", 'anchorwatch_smoke_runs_total{job=~"$job"}', text="Those that run suites."
    ).label("Agent")
    databases = choice(
        "database",
        f"anchorwatch_smoke_runs_total{{{AGENTS}}}",
        text="The databases that these suites belong to.",
    )
    suites = choice(
        "suite",
        f'anchorwatch_smoke_runs_total{{{AGENTS},database=~"$database"}}',
        text="The suites of those databases.",
    )
    for variable in (*common_variables(), agents, databases, suites):
        made = made.with_variable(variable)
    for mark in common_marks(f'{AGENTS},database=~"$database"'):
        made = made.annotation(mark)
    return assemble(
        made,
        [
            Section("", [(4, [*_sum_up()]), (7, [_show_suites()]), (8, [*_list()])]),
            Section("Over time", [(8, [*_draw_times()]), (8, [*_draw_runs()])]),
        ],
    )


def _sum_up() -> list[Panel]:
    old = Look("s", ((None, "green"), (3600, "orange"), (86400, "red")))
    return [
        number(
            "Suites",
            "Suites that ran at least once.",
            Asked(f"count(anchorwatch_smoke_success{{{WHERE}}})"),
        ),
        number(
            "Last run failed",
            "Suites whose last run did not pass: once is not yet broken.",
            Asked(f"sum(1 - anchorwatch_smoke_success{{{WHERE}}})"),
            Look(steps=((None, "green"), (1, "orange"))),
        ),
        number(
            "Broken",
            "Suites that failed as often in a row as people are told after.",
            Asked(f"sum(anchorwatch_smoke_broken{{{WHERE}}})"),
            BAD,
        ),
        number(
            "Longest without a run",
            "How long ago the suite ran that ran the longest ago.",
            Asked(f"max(time() - anchorwatch_smoke_last_run_timestamp_seconds{{{WHERE}}})"),
            old,
        ),
        number(
            "First certificate ends in",
            "Days until the first of the certificates expires that the suites saw.",
            Asked(f"min({EXPIRY}{{{WHERE}}} - time()) / 86400"),
            DAYS,
        ),
    ]


def _show_suites() -> Panel:
    return timeline(
        "Suites over time",
        "Whether the last run of each suite passed.",
        Asked(
            f"min by (instance, database, suite) (anchorwatch_smoke_success{{{WHERE}}})",
            "{{database}} {{suite}} ({{instance}})",
        ),
        YES_NO,
        url=to_database("${__field.labels.database}", "${__field.labels.instance}"),
    )


def _list() -> list[Panel]:
    def by_suite(expr: str) -> str:
        return f"max by (suite, instance) ({expr})"

    def by_step(name: str) -> str:
        return f"max by (suite, step, instance) ({name}{{{WHERE}}})"

    return [
        grid(
            "Suites now",
            "Each suite as its last run left it.",
            [
                Column(
                    "Result",
                    f"min by (suite, instance) (anchorwatch_smoke_success{{{WHERE}}})",
                    YES_NO,
                ),
                Column(
                    "Last run",
                    by_suite(f"anchorwatch_smoke_last_run_timestamp_seconds{{{WHERE}}} * 1000"),
                    MOMENT,
                ),
                Column(
                    "Last passed",
                    by_suite(
                        f"anchorwatch_smoke_last_success_timestamp_seconds{{{WHERE}}} * 1000"
                    ),
                    MOMENT,
                ),
                Column(
                    "Every", by_suite(f"anchorwatch_smoke_interval_seconds{{{WHERE}}}"), SECONDS
                ),
                Column(
                    "Certificate (days)",
                    f"min by (suite, instance) ({EXPIRY}{{{WHERE}}} - time()) / 86400",
                    DAYS,
                ),
            ],
            Grid({"suite": "Suite", "instance": "Agent"}),
        ),
        grid(
            "Steps now",
            "The HTTP status and the time of the last try of each step; 0 is no answer, and a "
            "query has none.",
            [
                Column(
                    "Status",
                    by_step("anchorwatch_smoke_step_status_code"),
                    STATUS,
                ),
                Column(
                    "Time",
                    by_step("anchorwatch_smoke_step_duration_seconds"),
                    SECONDS,
                ),
            ],
            Grid({"suite": "Suite", "step": "Step", "instance": "Agent"}),
        ),
    ]


def _draw_times() -> list[Panel]:
    return [
        graph(
            "How long steps take",
            "The last try of each step, on top of each other: together they are the run.",
            [
                Asked(
                    f"max by (suite, step) (anchorwatch_smoke_step_duration_seconds{{{WHERE}}})",
                    "{{suite}} {{step}}",
                )
            ],
            SECONDS,
            is_stacked=True,
        ),
        graph(
            "Days until certificates end",
            "Of the first certificate that each suite sees; a step up is a renewal.",
            [Asked(f"min by (suite) ({EXPIRY}{{{WHERE}}} - time()) / 86400", "{{suite}}")],
            DAYS,
        ),
    ]


def _draw_runs() -> list[Panel]:
    return [
        happenings(
            "Runs",
            "Runs of each suite, by its schedule and after deployments.",
            f"anchorwatch_smoke_runs_total{{{WHERE}}}",
            "suite",
        ),
        happenings(
            "Why runs failed",
            "Runs that did not pass, by the reason of the step that decided.",
            f"anchorwatch_smoke_failures_total{{{WHERE}}}",
            "suite",
            "reason",
        ),
    ]

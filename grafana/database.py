"""One database: what is wrong with it, since when, and what was before that."""

from typing import Final

from grafana_foundation_sdk.builders import dashboard

from grafana.frame import Section, assemble, begin, choice, common_marks, common_variables, to_page
from grafana.pieces import (
    BAD,
    HOLDS,
    MOMENT,
    SECONDS,
    STATE,
    WORTH_A_LOOK,
    YES_NO,
    Asked,
    Column,
    Grid,
    Look,
    Panel,
    bars,
    graph,
    grid,
    happenings,
    map_values,
    name,
    number,
    stack,
    timeline,
)

WHERE: Final = 'job=~"$job",instance="$instance",database="$database"'


def make() -> dashboard.Dashboard:
    """The dashboard of the database that is chosen."""
    made = begin(
        "anchorwatch-database",
        "anchorwatch database",
        "One database: its state, its revisions, its differences, its rows and its checks.",
    )
    known = 'anchorwatch_check_interval_seconds{job=~"$job"}'
    chosen = choice("database", known, text="The database that is shown.", is_many=False)
    watching = 'anchorwatch_check_interval_seconds{job=~"$job",database="$database"}'
    agent = choice("instance", watching, text="The agent that watches it.", is_many=False).label(
        "Agent"
    )
    for variable in (*common_variables(), chosen, agent):
        made = made.with_variable(variable)
    for mark in common_marks(WHERE):
        made = made.annotation(mark)
    return assemble(
        made,
        [
            Section("", [(4, [*_sum_up()]), (5, [_show_state()])]),
            Section("Schema", [(8, [*_show_schema()]), (8, [*_draw_schema()])]),
            Section("Rows and smoke tests", [(8, [*_show_rows()]), (8, [*_show_assertions()])]),
            Section("Looking", [(8, [*_draw_checks()]), (8, [*_draw_incidents()])]),
        ],
    )


def _sum_up() -> list[Panel]:
    page = to_page("$database")
    return [
        number(
            "State",
            "What the database is; docs/reference/states.md says what each state means.",
            Asked(f"max(anchorwatch_database_state_code{{{WHERE}}})"),
            STATE,
            url=page,
        ),
        number(
            "In this state",
            "When the current state was entered.",
            Asked(f"max(anchorwatch_database_state_changed_timestamp_seconds{{{WHERE}}}) * 1000"),
            MOMENT,
        ),
        number(
            "Differences",
            "Differences between the actual and the expected schema, without what is waived.",
            Asked(f"sum(anchorwatch_schema_differences{{{WHERE}}})"),
            WORTH_A_LOOK,
            url=page,
        ),
        number(
            "Pending",
            "Revisions that are expected and not yet there.",
            Asked(f"max(anchorwatch_alembic_pending_revisions{{{WHERE}}})"),
            Look(steps=((None, "green"), (1, "blue"))),
        ),
        number(
            "Open incidents",
            "Incidents that people were told of and that are not over.",
            Asked(f"sum(anchorwatch_incidents_open{{{WHERE}}})"),
            BAD,
            url=page,
        ),
        number(
            "Orphan rows",
            "Rows without a parent, of all relations that are counted.",
            Asked(f"sum(anchorwatch_orphan_rows{{{WHERE}}})"),
            WORTH_A_LOOK,
        ),
        number(
            "Last look",
            "When the schema was last read.",
            Asked(
                "max(anchorwatch_check_last_success_timestamp_seconds"
                f'{{{WHERE},check="schema"}}) * 1000'
            ),
            MOMENT,
        ),
        name(
            "PostgreSQL",
            "The version of the server.",
            Asked(
                f"max by (server_version) (anchorwatch_database_info{{{WHERE}}})",
                "{{server_version}}",
            ),
        ),
    ]


def _show_state() -> Panel:
    return timeline(
        "State over time",
        "One band, with the deployments and the changes of the schema marked on it.",
        Asked(f"max by (database) (anchorwatch_database_state_code{{{WHERE}}})", "{{database}}"),
        STATE,
    )


def _show_schema() -> list[Panel]:
    def by_revision(side: str) -> str:
        return f'max by (revision) (anchorwatch_alembic_revision_info{{{WHERE},side="{side}"}})'

    there = Look(mappings=(map_values({1: ("yes", "green")}),))
    revisions = grid(
        "Revisions",
        "What is stamped, and what is expected: each head in a row of its own.",
        [
            Column("Stamped", by_revision("database"), there),
            Column("Expected", by_revision("expected"), there),
        ],
        Grid({"revision": "Revision"}),
        width=8,
    )
    cells = bars(
        "Differences now",
        "Differences by what was changed and how.",
        Asked(
            f"sum by (change, kind) (anchorwatch_schema_differences{{{WHERE}}}) > 0",
            "{{change}} {{kind}}",
        ),
        WORTH_A_LOOK,
        width=16,
    )
    return [revisions, cells]


def _draw_schema() -> list[Panel]:
    return [
        stack(
            "Differences over time",
            "The same over time; a deployment that explains a step is marked.",
            f"anchorwatch_schema_differences{{{WHERE}}}",
            "change",
            "kind",
        ),
        stack(
            "Not told",
            "Findings that are ignored by a rule or accepted as they are.",
            f"anchorwatch_findings_waived{{{WHERE}}}",
            "how",
        ),
    ]


def _show_rows() -> list[Panel]:
    return [
        graph(
            "Orphan rows over time",
            "Rows without a parent by relation; at least, where the scan is not complete.",
            [
                Asked(
                    f"max by (table, constraint) (anchorwatch_orphan_rows{{{WHERE}}})",
                    "{{table}} {{constraint}}",
                )
            ],
        ),
        grid(
            "Relations",
            "Each relation that is counted, and whether every row of it was.",
            [
                Column(
                    "Orphan rows",
                    f"max by (table, constraint) (anchorwatch_orphan_rows{{{WHERE}}})",
                    WORTH_A_LOOK,
                ),
                Column(
                    "Counted whole",
                    f"min by (table, constraint) (anchorwatch_orphan_scan_complete{{{WHERE}}})",
                    Look(mappings=(map_values({0: ("no", "orange"), 1: ("yes", "green")}),)),
                ),
            ],
            Grid({"table": "Table", "constraint": "Relation"}),
        ),
        timeline(
            "Smoke suites",
            "Whether the last run of each suite of this database passed.",
            Asked(f"min by (suite) (anchorwatch_smoke_success{{{WHERE}}})", "{{suite}}"),
            YES_NO,
        ),
    ]


def _show_assertions() -> list[Panel]:
    """What is asserted has the severity that the configuration gives it."""
    could = Look(mappings=(map_values({0: ("no", "orange"), 1: ("yes", "green")}),))
    keys = {"assertion": "Assertion", "severity": "Severity"}
    by_assertion = f"min by ({', '.join(keys)})"
    return [
        timeline(
            "Assertions",
            "Whether each assertion about rows held; a gap is one that is not told, for it is "
            "accepted or ignored.",
            Asked(f"min by (assertion) (anchorwatch_assertion_holds{{{WHERE}}})", "{{assertion}}"),
            HOLDS,
            width=16,
        ),
        grid(
            "Assertions now",
            "Each as it was evaluated last, and whether that could be done the last time.",
            [
                Column("Holds", f"{by_assertion} (anchorwatch_assertion_holds{{{WHERE}}})", HOLDS),
                Column(
                    "Evaluated",
                    f"{by_assertion} (anchorwatch_assertion_evaluated{{{WHERE}}})",
                    could,
                ),
            ],
            Grid(keys),
            width=8,
        ),
    ]


def _draw_checks() -> list[Panel]:
    return [
        graph(
            "How long checks take",
            "The duration of the last look, and of the last of each other check.",
            [
                Asked(
                    f"max by (check) (anchorwatch_check_last_duration_seconds{{{WHERE}}})",
                    "{{check}}",
                )
            ],
            SECONDS,
        ),
        graph(
            "How old what they say is",
            "Time since each check was last carried out, in intervals: above 3 it is overdue.",
            [
                Asked(
                    "max by (check) ((time() - anchorwatch_check_last_success_timestamp_seconds"
                    f"{{{WHERE}}}) / on (job, instance, database, check) "
                    f"anchorwatch_check_interval_seconds{{{WHERE}}})",
                    "{{check}}",
                )
            ],
        ),
        happenings(
            "Checks that could not be carried out",
            "By reason; a finding is not a failure.",
            f"anchorwatch_check_failures_total{{{WHERE}}}",
            "check",
            "reason",
        ),
    ]


def _draw_incidents() -> list[Panel]:
    return [
        happenings(
            "Incidents opened",
            "By kind.",
            f"anchorwatch_incidents_opened_total{{{WHERE}}}",
            "kind",
        ),
        happenings(
            "Incidents resolved",
            "By kind.",
            f"anchorwatch_incidents_resolved_total{{{WHERE}}}",
            "kind",
        ),
    ]

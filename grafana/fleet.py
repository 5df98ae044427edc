"""The fleet: is everything right, what is not, and since when."""

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
    to_page,
)
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
    graph,
    grid,
    number,
    stack,
    timeline,
)

WHERE: Final = 'job=~"$job",instance=~"$instance",database=~"$database"'
JOB: Final = 'job=~"$job"'
RIGHT: Final = "in_sync|unchanged"
PASSING: Final = "pending|ahead|migrating"
UNSEEN: Final = "unreachable|unknown"


def make() -> dashboard.Dashboard:
    """The dashboard to begin with."""
    made = begin(
        "anchorwatch-fleet",
        "anchorwatch fleet",
        "Whether the schemas of all databases are what they should be, and which are not.",
    )
    for variable in (*common_variables(), *_choose()):
        made = made.with_variable(variable)
    for mark in common_marks(WHERE):
        made = made.annotation(mark)
    return assemble(
        made,
        [
            Section("", [(4, [*_count()]), (9, [_show_states()]), (9, [_list_databases()])]),
            Section("Over time", [(8, [*_draw_findings()]), (8, [*_draw_incidents()])]),
        ],
    )


def _choose() -> list[dashboard.QueryVariable]:
    known = 'anchorwatch_database_info{job=~"$job"}'
    environment = 'job=~"$job",app_environment=~"$app_environment"'
    agents = f"anchorwatch_database_info{{{environment}}}"
    databases = f'anchorwatch_database_info{{{environment},instance=~"$instance"}}'
    return [
        choice("app_environment", known, text="Where the databases run.").label("Environment"),
        choice("instance", agents, text="Those that watch these environments.").label("Agent"),
        choice("database", databases, text="The databases that they watch."),
    ]


def _count_in(states: str) -> str:
    return f'sum(anchorwatch_database_state{{{WHERE},state=~"{states}"}})'


def _count() -> list[Panel]:
    all_right = Look("percentunit", ((None, "red"), (0.5, "orange"), (1, "green")), 0)
    old = Look("s", ((None, "green"), (900, "orange"), (3600, "red")))
    wrong = f'state!~"{RIGHT}|{PASSING}|{UNSEEN}"'
    never = (
        f'count(anchorwatch_check_interval_seconds{{{JOB},check="schema"}} '
        "unless on (job, instance, database) anchorwatch_database_state_code) or vector(0)"
    )
    return [
        number(
            "Databases",
            "Databases that were looked at at least once.",
            Asked(f"count(anchorwatch_database_state_code{{{WHERE}}})"),
        ),
        number(
            "Right",
            "The part of them whose schema is what it should be. One that cannot be seen is not.",
            Asked(f"{_count_in(RIGHT)} / count(anchorwatch_database_state_code{{{WHERE}}})"),
            all_right,
        ),
        number(
            "Wrong",
            "Databases whose schema or history is wrong: drift, stamps that never ran, and so on.",
            Asked(f"sum(anchorwatch_database_state{{{WHERE},{wrong}}})"),
            BAD,
        ),
        number(
            "On their way",
            "Databases with migrations pending or running, or ahead of what the agent knows.",
            Asked(_count_in(PASSING)),
            Look(steps=((None, "green"), (1, "blue"))),
        ),
        number(
            "Not seen",
            "Databases that cannot be reached or judged: they may be wrong.",
            Asked(_count_in(UNSEEN)),
            BAD,
        ),
        number(
            "Never looked at",
            "Databases that are watched and that nothing is known of, in all environments.",
            Asked(never),
            BAD,
        ),
        number(
            "Critical incidents",
            "Incidents that are open and critical, of whatever kind.",
            Asked(f'sum(anchorwatch_incidents_open{{{WHERE},severity="critical"}})'),
            BAD,
        ),
        number(
            "Oldest look",
            "How long ago the schema was read that was read the longest ago.",
            Asked(
                "max(time() - anchorwatch_check_last_success_timestamp_seconds"
                f'{{{WHERE},check="schema"}})'
            ),
            old,
        ),
    ]


def _show_states() -> Panel:
    return timeline(
        "States",
        "The state of every database. A gap is a time in which the agent was not scraped.",
        Asked(
            f"max by (instance, database) (anchorwatch_database_state_code{{{WHERE}}})",
            "{{database}} ({{instance}})",
        ),
        STATE,
        url=to_database("${__field.labels.database}", "${__field.labels.instance}"),
    )


def _list_databases() -> Panel:
    def by_database(expr: str) -> str:
        return f"max by (instance, database) ({expr})"

    def say_revision(side: str) -> str:
        # A database with several heads has one row: the table says that there is more.
        series = f'anchorwatch_alembic_revision_info{{{WHERE},side="{side}"}}'
        named = f'label_replace({series}, "{side}_revision", "$1", "revision", "(.*)")'
        one = f"topk by (instance, database) (1, {named})"
        return f"max by (instance, database, {side}_revision) ({one})"

    columns = [
        Column("State", by_database(f"anchorwatch_database_state_code{{{WHERE}}}"), STATE),
        Column(
            "Since",
            by_database(f"anchorwatch_database_state_changed_timestamp_seconds{{{WHERE}}} * 1000"),
            MOMENT,
        ),
        Column(
            "Environment",
            f"max by (instance, database, app_environment) (anchorwatch_database_info{{{WHERE}}})",
            label="app_environment",
        ),
        Column("Revision", say_revision("database"), label="database_revision"),
        Column("Expected", say_revision("expected"), label="expected_revision"),
        Column("Pending", by_database(f"anchorwatch_alembic_pending_revisions{{{WHERE}}}")),
        Column(
            "Differences",
            f"sum by (instance, database) (anchorwatch_schema_differences{{{WHERE}}})",
            WORTH_A_LOOK,
        ),
        Column(
            "Orphan rows",
            f"sum by (instance, database) (anchorwatch_orphan_rows{{{WHERE}}})",
            WORTH_A_LOOK,
        ),
        Column(
            "Assertions",
            f"min by (instance, database) (anchorwatch_assertion_holds{{{WHERE}}})",
            HOLDS,
        ),
        Column(
            "Smoke",
            f"min by (instance, database) (anchorwatch_smoke_success{{{WHERE}}})",
            YES_NO,
        ),
        Column(
            "Last look",
            by_database(
                "anchorwatch_check_last_success_timestamp_seconds"
                f'{{{WHERE},check="schema"}} * 1000'
            ),
            MOMENT,
        ),
    ]
    links = [
        ("Dashboard", to_database("${__value.text}", "${__data.fields.Agent}")),
        ("Page", to_page("${__value.text}")),
    ]
    return grid(
        "Databases now",
        "Every database as the last look left it. What was not looked at is empty, and no zero.",
        columns,
        Grid({"database": "Database", "instance": "Agent"}, links),
    )


def _draw_findings() -> list[Panel]:
    return [
        stack(
            "Differences",
            "Differences between actual and expected schemas, without what is waived.",
            f"anchorwatch_schema_differences{{{WHERE}}}",
            "change",
        ),
        stack(
            "Not told",
            "Findings that are ignored by a rule or accepted as they are: nobody is told of them.",
            f"anchorwatch_findings_waived{{{WHERE}}}",
            "how",
        ),
    ]


def _draw_incidents() -> list[Panel]:
    return [
        stack(
            "Open incidents",
            "Incidents that people were told of and that are not over.",
            f"anchorwatch_incidents_open{{{WHERE}}}",
            "severity",
        ),
        graph(
            "Time since the last look",
            "How old what is shown here is; it should stay around the interval.",
            [
                Asked(
                    "max by (instance, database) "
                    "(time() - anchorwatch_check_last_success_timestamp_seconds"
                    f'{{{WHERE},check="schema"}})',
                    "{{database}} ({{instance}})",
                )
            ],
            SECONDS,
        ),
    ]

"""The agent itself: does it look, does it tell, and what does it cost."""

from typing import Final

from grafana_foundation_sdk.builders import dashboard

from grafana.frame import Section, assemble, begin, choice, common_marks, common_variables
from grafana.pieces import (
    BAD,
    SECONDS,
    Asked,
    Look,
    Panel,
    graph,
    happenings,
    map_values,
    name,
    number,
    stack,
    timeline,
)

WHERE: Final = 'job=~"$job",instance=~"$instance"'
BYTES: Final = Look("bytes")
HEARTBEAT: Final = f"anchorwatch_heartbeat_last_success_timestamp_seconds{{{WHERE}}}"
TAKES: Final = Look(mappings=(map_values({0: ("broken", "red"), 1: ("works", "green")}),))


def make() -> dashboard.Dashboard:
    """The dashboard of the agents that are chosen."""
    made = begin(
        "anchorwatch-agent",
        "anchorwatch agent",
        "Whether the agent looks and tells as it should, and what that costs.",
    )
    instances = choice(
        "instance", 'anchorwatch_build_info{job=~"$job"}', text="The agents that are shown."
    )
    for variable in (*common_variables(), instances):
        made = made.with_variable(variable)
    for mark in common_marks(WHERE):
        made = made.annotation(mark)
    return assemble(
        made,
        [
            Section("", [(4, [*_sum_up()])]),
            Section("Looking", [(8, [*_draw_looking()]), (8, [*_draw_schedule()])]),
            Section("Telling", [(7, [*_draw_ways()]), (8, [*_draw_telling()])]),
            Section("What it costs", [(8, [*_draw_costs()])]),
        ],
    )


def _sum_up() -> list[Panel]:
    late = Look("s", ((None, "green"), (60, "orange"), (300, "red")))
    whole = Look(mappings=(map_values({0: ("broken", "red"), 1: ("whole", "green")}),))
    oldest = f"anchorwatch_outbox_oldest_timestamp_seconds{{{WHERE}}}"
    waiting = Look(steps=((None, "green"), (1, "blue"), (20, "orange")))
    scraped = Look(mappings=(map_values({0: ("down", "red"), 1: ("up", "green")}),))
    return [
        number(
            "Agent",
            "Whether every agent that is chosen could be scraped.",
            Asked(f"min(up{{{WHERE}}})"),
            scraped,
        ),
        name(
            "Version",
            "The version that runs.",
            Asked(f"max by (version) (anchorwatch_build_info{{{WHERE}}})", "{{version}}"),
        ),
        number(
            "Running for",
            "How long ago the process was started that was started last.",
            Asked(f"min(time() - process_start_time_seconds{{{WHERE}}})"),
            SECONDS,
        ),
        number(
            "Last tick",
            "How long ago the schedule last went on: minutes mean that it stands still.",
            Asked(f"max(time() - anchorwatch_scheduler_last_tick_timestamp_seconds{{{WHERE}}})"),
            late,
        ),
        number(
            "Configuration",
            "Whether every entry of the configuration can be used.",
            Asked(f"min(anchorwatch_config_last_reload_successful{{{WHERE}}})"),
            whole,
        ),
        number(
            "Messages that wait",
            "Messages that no channel has taken yet.",
            Asked(f"sum(anchorwatch_outbox_pending{{{WHERE}}})"),
            waiting,
        ),
        number(
            "Oldest waits for",
            "How long the oldest of them has waited.",
            Asked(f"max((time() - {oldest}) * on (job, instance, channel) ({oldest} > bool 0))"),
            late,
        ),
        number(
            "Given up",
            "Messages that were given up, until the channel works again.",
            Asked(f"sum(anchorwatch_outbox_dead{{{WHERE}}})"),
            BAD,
        ),
    ]


def _draw_looking() -> list[Panel]:
    return [
        graph(
            "Looks",
            "Looks and other checks of all databases, per second.",
            [
                Asked(
                    "sum by (check) (rate(anchorwatch_checks_total"
                    f"{{{WHERE}}}[$__rate_interval]))",
                    "{{check}}",
                )
            ],
            Look("ops"),
        ),
        graph(
            "Looks that could not be carried out",
            "By reason, per second; a finding is not a failure.",
            [
                Asked(
                    "sum by (reason) (rate(anchorwatch_check_failures_total"
                    f"{{{WHERE}}}[$__rate_interval]))",
                    "{{reason}}",
                )
            ],
            Look("ops"),
        ),
        graph(
            "How long they take",
            "Half and 95 of 100 of them took no longer.",
            [
                Asked(
                    f"histogram_quantile({share}, sum by (check, le) "
                    "(rate(anchorwatch_check_duration_seconds_bucket"
                    f"{{{WHERE}}}[$__rate_interval])))",
                    f"{{{{check}}}} {share}",
                )
                for share in (0.5, 0.95)
            ],
            SECONDS,
        ),
    ]


def _draw_schedule() -> list[Panel]:
    same = "job, instance, database, check"
    done = f"anchorwatch_check_last_success_timestamp_seconds{{{WHERE}}}"
    every = f"anchorwatch_check_interval_seconds{{{WHERE}}}"
    return [
        graph(
            "Time since the last tick",
            "It should stay within a few seconds.",
            [
                Asked(
                    f"time() - anchorwatch_scheduler_last_tick_timestamp_seconds{{{WHERE}}}",
                    "{{instance}}",
                )
            ],
            SECONDS,
        ),
        graph(
            "Checks that are overdue",
            "Checks that were last carried out more than three of their intervals ago, or never.",
            [
                Asked(
                    f"sum by (check) ((time() - {done} > bool on ({same}) 3 * {every}) "
                    f"or on ({same}) ({every} * 0 + 1))",
                    "{{check}}",
                )
            ],
        ),
        stack(
            "Databases",
            "How many are in each state.",
            f"anchorwatch_database_state{{{WHERE}}} > 0",
            "state",
        ),
    ]


def _draw_telling() -> list[Panel]:
    return [
        happenings(
            "Messages that were taken",
            "By channel and event.",
            f"anchorwatch_notifications_total{{{WHERE}}}",
            "channel",
            "event",
        ),
        happenings(
            "Attempts that failed",
            "By channel and reason; they are repeated.",
            f"anchorwatch_notification_failures_total{{{WHERE}}}",
            "channel",
            "reason",
        ),
        graph(
            "Messages that wait over time",
            "By channel.",
            [Asked(f"sum by (channel) (anchorwatch_outbox_pending{{{WHERE}}})", "{{channel}}")],
        ),
    ]


def _draw_ways() -> list[Panel]:
    """Whether there is a way out at all, beside what goes it."""
    started = f"process_start_time_seconds{{{WHERE}}}"
    return [
        timeline(
            "Channels over time",
            "Whether each channel takes messages; one that is broken is announced on the others.",
            Asked(
                f"min by (instance, channel) (anchorwatch_channel_up{{{WHERE}}})",
                "{{channel}} ({{instance}})",
            ),
            TAKES,
        ),
        graph(
            "Time since the last heartbeat",
            "Since somebody outside last took the word that the agent lives, or since the agent "
            "started: it should stay within two minutes.",
            [
                Asked(
                    f"time() - ({HEARTBEAT} > on (job, instance) group_left () {started} "
                    f"or {HEARTBEAT} * 0 + on (job, instance) group_left () {started})",
                    "{{target}} ({{instance}})",
                )
            ],
            SECONDS,
        ),
        happenings(
            "Kept back",
            "What was silenced, is explained or overtaken by something else, or is told in a "
            "message about something else.",
            f"anchorwatch_notifications_suppressed_total{{{WHERE}}}",
            "channel",
            "reason",
        ),
    ]


def _draw_costs() -> list[Panel]:
    return [
        graph(
            "Memory",
            "Resident memory of the process.",
            [Asked(f"process_resident_memory_bytes{{{WHERE}}}", "{{instance}}")],
            BYTES,
        ),
        graph(
            "CPU",
            "The part of one core that the process uses.",
            [
                Asked(
                    f"rate(process_cpu_seconds_total{{{WHERE}}}[$__rate_interval])",
                    "{{instance}}",
                )
            ],
            Look("percentunit"),
        ),
        graph(
            "Open files",
            "Open files and connections, beside what the process may have.",
            [
                Asked(f"process_open_fds{{{WHERE}}}", "{{instance}}"),
                Asked(f"process_max_fds{{{WHERE}}}", "{{instance}} limit"),
            ],
        ),
        graph(
            "Scrapes",
            "How long Prometheus waits for the metrics.",
            [Asked(f"scrape_duration_seconds{{{WHERE}}}", "{{instance}}")],
            SECONDS,
        ),
    ]

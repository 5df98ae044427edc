"""What every dashboard is made of: queries, and the panels that show them.

The JSON is that of Grafana's classic schema: https://grafana.com/docs/grafana/latest/dashboards/
"""

from collections.abc import Mapping, Sequence
from typing import Final, Literal, NamedTuple

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    dashboard,
    prometheus,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.models import common as words
from grafana_foundation_sdk.models import dashboard as shapes
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from monitor.core.verdict import STATES, State

type Builder = stat.Panel | timeseries.Panel | statetimeline.Panel | table.Panel | bargauge.Panel

NO_DATA: Final = "no data"
DATASOURCE: Final = words.DataSourceRef(type_val="prometheus", uid="${datasource}")

COLORS: Final[Mapping[State, str]] = {
    State.UNREACHABLE: "dark-red",
    State.UNKNOWN: "text",
    State.MIGRATING: "light-blue",
    State.EMPTY: "light-purple",
    State.UNSTAMPED: "yellow",
    State.UNKNOWN_REVISION: "purple",
    State.AHEAD: "super-light-blue",
    State.OVERLAPPING: "light-yellow",
    State.MULTIPLE_HEADS: "dark-yellow",
    State.HALF_APPLIED: "semi-dark-red",
    State.HOLE: "light-red",
    State.STAMPED_NOT_RUN: "red",
    State.APPLIED_BY_HAND: "light-orange",
    State.EDITED_REVISION: "dark-orange",
    State.DRIFTED: "orange",
    State.PENDING: "blue",
    State.UNCHANGED: "light-green",
    State.IN_SYNC: "green",
}
"""Red is what breaks queries now, orange and yellow what will, blue what passes by itself."""


class Look(NamedTuple):
    """How values are written and coloured.

    Attributes:
        unit: one of https://github.com/grafana/grafana's list, `short` for a number.
        steps: from which value on which colour holds; None is everything below.
        decimals: digits behind the point; None leaves it to Grafana.
        mappings: values that have a word of their own.
    """

    unit: str = "short"
    steps: Sequence[tuple[float | None, str]] = ((None, "text"),)
    decimals: float | None = None
    mappings: Sequence[shapes.ValueMap] = ()


NEUTRAL: Final = Look()
SECONDS: Final = Look("s")
BAD: Final = Look(steps=((None, "green"), (1, "red")))
"""Anything but zero is bad."""
WORTH_A_LOOK: Final = Look(steps=((None, "green"), (1, "orange")))
MOMENT: Final = Look("dateTimeFromNow")
"""A time in milliseconds, shown as how long ago it was."""


def map_states() -> shapes.ValueMap:
    """The name and colour of the number of every state."""
    return map_values(
        {meaning.code: (state.value, COLORS[state]) for state, meaning in STATES.items()}
    )


def map_values(known: Mapping[int, tuple[str, str]]) -> shapes.ValueMap:
    """A word and a colour for each number."""
    return shapes.ValueMap(
        options={
            str(number): shapes.ValueMappingResult(text=text, color=color, index=place)
            for place, (number, (text, color)) in enumerate(sorted(known.items()))
        }
    )


STATE: Final = Look(mappings=(map_states(),))
HOLDS: Final = Look(mappings=(map_values({0: ("fails", "red"), 1: ("holds", "green")}),))
YES_NO: Final = Look(mappings=(map_values({0: ("fails", "red"), 1: ("passes", "green")}),))


class Asked(NamedTuple):
    """One query.

    Attributes:
        expr: PromQL.
        legend: how its series are called.
    """

    expr: str
    legend: str = ""


class Panel(NamedTuple):
    """A panel, and how many of the 24 columns of its row it takes; 0 for an equal part."""

    builder: Builder
    width: int = 0


def _ask(
    asked: Asked, place: int, *, how: Literal["range", "now", "table"]
) -> prometheus.Dataquery:
    query = (
        prometheus.Dataquery()
        .expr(asked.expr)
        .legend_format(asked.legend)
        .ref_id(chr(ord("A") + place))
        .datasource(DATASOURCE)
    )
    if how == "range":
        return query.range()
    shape = PromQueryFormat.TABLE if how == "table" else PromQueryFormat.TIME_SERIES
    return query.instant().format(shape)


def _dress[P: (stat.Panel, timeseries.Panel, statetimeline.Panel, table.Panel, bargauge.Panel)](
    panel: P,
    title: str,
    text: str,
    asked: Sequence[Asked],
    look: Look,
    *,
    how: Literal["range", "now", "table"],
) -> P:
    """Give a panel what every panel has."""
    steps = [shapes.Threshold(value=value, color=color) for value, color in look.steps]
    panel = (
        panel.title(title)
        .description(text)
        .datasource(DATASOURCE)
        .targets([_ask(one, place, how=how) for place, one in enumerate(asked)])
        .unit(look.unit)
        .no_value(NO_DATA)
        .mappings([*look.mappings])
        .thresholds(dashboard.ThresholdsConfig().mode(shapes.ThresholdsMode.ABSOLUTE).steps(steps))
    )
    return panel if look.decimals is None else panel.decimals(look.decimals)


def number(title: str, text: str, asked: Asked, look: Look = NEUTRAL, *, url: str = "") -> Panel:
    """One number, as it is now; with an address, the way to where it comes from."""
    panel = _dress(stat.Panel(), title, text, [asked], look, how="now")
    is_colored = len(look.steps) > 1 or bool(look.mappings)
    mode = words.BigValueColorMode.BACKGROUND if is_colored else words.BigValueColorMode.NONE
    panel = (
        panel.color_mode(mode)
        .graph_mode(words.BigValueGraphMode.NONE)
        .text_mode(words.BigValueTextMode.AUTO)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    )
    return Panel(panel.data_links([link("Look closer", url)]) if url else panel)


def name(title: str, text: str, asked: Asked) -> Panel:
    """A word that stands in the label of a series: a version, say."""
    panel = number(title, text, asked)
    assert isinstance(panel.builder, stat.Panel)  # noqa: S101  # what `number` makes
    return Panel(panel.builder.text_mode(words.BigValueTextMode.NAME))


def graph(
    title: str,
    text: str,
    asked: Sequence[Asked],
    look: Look = NEUTRAL,
    *,
    is_stacked: bool = False,
    width: int = 0,
) -> Panel:
    """Lines over time. Gaps stay gaps: what was not seen was not zero."""
    panel = (
        _dress(timeseries.Panel(), title, text, asked, look, how="range")
        .span_nulls(span_nulls=False)
        .line_width(1)
        .fill_opacity(30 if is_stacked else 5)
        .show_points(words.VisibilityMode.NEVER)
        .min(0)
        .tooltip(
            common.VizTooltipOptions()
            .mode(words.TooltipDisplayMode.MULTI)
            .sort(words.SortOrder.DESCENDING)
        )
        .legend(
            common.VizLegendOptions()
            .show_legend(show_legend=True)
            .display_mode(words.LegendDisplayMode.LIST)
            .placement(words.LegendPlacement.BOTTOM)
        )
    )
    if is_stacked:
        panel = panel.stacking(common.StackingConfig().mode(words.StackingMode.NORMAL))
    return Panel(panel, width)


def stack(title: str, text: str, series: str, *labels: str) -> Panel:
    """How many there are of each, on top of each other: together they are all.

    Args:
        title: of the panel.
        text: what it shows.
        series: PromQL for what is counted.
        labels: by which it is told apart.
    """
    asked = Asked(f"sum by ({', '.join(labels)}) ({series})", _join(labels))
    return graph(title, text, [asked], is_stacked=True)


def happenings(title: str, text: str, counter: str, *labels: str) -> Panel:
    """How often something happened, as `stack` tells it apart."""
    grown = f"increase({counter}[$__rate_interval])"
    return graph(title, text, [Asked(f"sum by ({', '.join(labels)}) ({grown})", _join(labels))])


def _join(labels: Sequence[str]) -> str:
    return " ".join(f"{{{{{label}}}}}" for label in labels)


def timeline(
    title: str, text: str, asked: Asked, look: Look, *, url: str = "", width: int = 0
) -> Panel:
    """One band a series, coloured by its value."""
    panel = (
        _dress(statetimeline.Panel(), title, text, [asked], look, how="range")
        .merge_values(merge_values=True)
        .show_value(words.VisibilityMode.AUTO)
        .row_height(0.85)
        .per_page(25)
        .fill_opacity(80)
        .line_width(0)
        .color_scheme(dashboard.FieldColor().mode(shapes.FieldColorModeId.THRESHOLDS))
        .legend(common.VizLegendOptions().show_legend(show_legend=False))
    )
    return Panel(panel.data_links([link("Open the database", url)]) if url else panel, width)


def bars(title: str, text: str, asked: Asked, look: Look, *, width: int = 0) -> Panel:
    """One bar a series, as it is now."""
    panel = (
        _dress(bargauge.Panel(), title, text, [asked], look, how="now")
        .display_mode(words.BarGaugeDisplayMode.BASIC)
        .orientation(words.VizOrientation.HORIZONTAL)
        .min(0)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    )
    return Panel(panel, width)


class Column(NamedTuple):
    """A column of a table, and the query that fills it.

    Attributes:
        title: its head.
        expr: PromQL with the key among its labels.
        look: of its values.
        label: the label that is shown in place of the value.
    """

    title: str
    expr: str
    look: Look = NEUTRAL
    label: str = ""


class Grid(NamedTuple):
    """How the columns of a table come together.

    Attributes:
        keys: the labels that all of them have, and what their columns are called.
        links: what leads on from the first: title and address.
    """

    keys: Mapping[str, str]
    links: Sequence[tuple[str, str]] = ()


def grid(title: str, text: str, columns: Sequence[Column], how: Grid, *, width: int = 0) -> Panel:
    """A table: one row for each set of keys, one query a column."""
    asked = [Asked(column.expr) for column in columns]
    panel = _dress(table.Panel(), title, text, asked, NEUTRAL, how="table").show_header(
        show_header=True
    )
    names = {
        column.label or _name_value(place, len(columns)): column
        for place, column in enumerate(columns)
    }
    panel = panel.with_transformation(
        shapes.DataTransformerConfig("merge", options={})  # by the labels that all have
    ).with_transformation(
        shapes.DataTransformerConfig(
            "organize",
            options={
                "excludeByName": {
                    hidden: True for hidden in _list_hidden(columns) if hidden not in names
                },
                "indexByName": {field: place for place, field in enumerate([*how.keys, *names])},
                "renameByName": {
                    **how.keys,
                    **{field: column.title for field, column in names.items()},
                },
            },
        )
    )
    for column in columns:
        panel = panel.override_by_name(column.title, _style(column.look))
    head = next(iter(how.keys.values()))
    links = [{"title": text, "url": url} for text, url in how.links]
    return Panel(panel.override_by_name(head, [shapes.DynamicConfigValue("links", links)]), width)


def _name_value(place: int, count: int) -> str:
    """What Grafana calls the value of one query among several."""
    return "Value" if count == 1 else f"Value #{chr(ord('A') + place)}"


def _list_hidden(columns: Sequence[Column]) -> list[str]:
    """Fields that are no columns: the time of each query, and values that only carry a label."""
    count = len(columns)
    return ["Time", *(_name_value(place, count) for place in range(count))]


def _style(look: Look) -> list[shapes.DynamicConfigValue]:
    steps = [{"value": value, "color": color} for value, color in look.steps]
    properties = [
        shapes.DynamicConfigValue("unit", look.unit),
        shapes.DynamicConfigValue("mappings", [one.to_json() for one in look.mappings]),
        shapes.DynamicConfigValue("thresholds", {"mode": "absolute", "steps": steps}),
    ]
    if look.mappings or len(look.steps) > 1:
        cell = {"type": "color-background", "mode": "basic"}
        properties.append(shapes.DynamicConfigValue("custom.cellOptions", cell))
    return properties


def link(title: str, url: str) -> dashboard.DashboardLink:
    """A way that keeps the time range."""
    return dashboard.DashboardLink(title).url(url)

"""What stands around the panels: variables, marks, links between dashboards, and rows."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models import dashboard as shapes

from grafana.pieces import DATASOURCE, Panel

PAGE: Final = "http://localhost:8080"
"""Where the agent's own page is until somebody says otherwise."""
WIDTH: Final = 24
"""Columns of Grafana's grid."""


def to_database(field: str, agent: str) -> str:
    """The dashboard of the database that a field names, as another names its agent."""
    return (
        f"/d/anchorwatch-database?var-database={field}&var-instance={agent}"
        # Several jobs would be one with braces around them: https://github.com/grafana/grafana/issues/30850
        "&var-datasource=${datasource}&${job:queryparam}&var-page=${page:percentencode}&${__url_time_range}"
    )


def to_page(field: str) -> str:
    """The page of the agent about the database that a field names."""
    return f"${{page:raw}}/databases/{field}"


def choice(label: str, known: str, *, text: str, is_many: bool = True) -> dashboard.QueryVariable:
    """A variable with the values of a label."""
    made = (
        dashboard.QueryVariable(label)
        .label(label.capitalize())
        .description(text)
        .datasource(DATASOURCE)
        .query({"query": f"label_values({known}, {label})", "refId": label})
        .definition(f"label_values({known}, {label})")
        .refresh(shapes.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(shapes.VariableSort.NATURAL_ASC)
        .multi(is_many)
        .include_all(is_many)
    )
    if not is_many:
        return made
    everything = shapes.VariableOption(selected=True, text="All", value="$__all")
    # "All" is every value that is listed, and no pattern for anything: others than ours are
    # scraped as well, and the databases that are listed are those of the chosen environments.
    return made.current(everything)


def common_variables() -> list[
    dashboard.DatasourceVariable | dashboard.QueryVariable | dashboard.TextBoxVariable
]:
    """What every dashboard asks: where the metrics are, of which job, and where the page is."""
    return [
        dashboard.DatasourceVariable("datasource")
        .label("Prometheus")
        .description("The data source that scrapes anchorwatch.")
        .type("prometheus"),
        choice("job", "anchorwatch_build_info", text="The scrape job of the agents."),
        dashboard.TextBoxVariable("page")
        .label("Page")
        .description(
            "Where the agent's own page is, without a slash at the end: links lead there."
        )
        .default_value(PAGE),
    ]


def mark(
    title: str, expr: str, color: str, text: str, *, is_moment: bool = True
) -> dashboard.AnnotationQuery:
    """Marks over every graph.

    Args:
        title: what the switch is called.
        expr: where `is_moment`, its values are the times of the marks, in milliseconds.
        color: of the marks.
        text: what stands at each.
        is_moment: else every sample is a mark; off until somebody switches it on.
    """
    return (
        dashboard.AnnotationQuery()
        .name(title)
        .datasource(DATASOURCE)
        .enable(is_moment)
        .icon_color(color)
        .expr(expr)
        .title_format(title)
        .text_format(text)
        .step("60s")
        .use_value_for_time(is_moment)
    )


def common_marks(where: str) -> list[dashboard.AnnotationQuery]:
    """Deployments, changes of the schema, and alerts.

    Args:
        where: the matchers that choose the series.
    """
    return [
        mark(
            "Deployments",
            f"anchorwatch_deploy_timestamp_seconds{{{where}}} * 1000",
            "blue",
            "{{database}} was deployed",
        ),
        mark(
            "Schema changes",
            f"anchorwatch_schema_changed_timestamp_seconds{{{where}}} * 1000",
            "orange",
            "the schema of {{database}} changed",
        ),
        mark(
            "Alerts",
            'ALERTS{alertname=~"Anchorwatch.+",alertname!="AnchorwatchWatchdog",'
            f'alertstate="firing",{where}}}',
            "red",
            "{{alertname}} {{database}}",
            is_moment=False,
        ),
    ]


class Section(NamedTuple):
    """Rows of panels below one heading; the first of a dashboard has none.

    Attributes:
        title: of the heading.
        rows: the height of each row, and what stands in it from the left.
    """

    title: str
    rows: Sequence[tuple[int, Sequence[Panel]]]


def assemble(made: dashboard.Dashboard, sections: Sequence[Section]) -> dashboard.Dashboard:
    """The dashboard with its panels in their places, each with a number of its own."""
    top, count = 0, 0
    for section in sections:
        if section.title:
            count += 1
            heading = dashboard.Row(section.title).id(count)
            made = made.with_row(heading.grid_pos(shapes.GridPos(h=1, w=WIDTH, x=0, y=top)))
            top += 1
        for height, panels in section.rows:
            left = 0
            for panel in panels:
                width = panel.width or WIDTH // len(panels)
                count += 1
                spot = shapes.GridPos(h=height, w=width, x=left, y=top)
                made = made.with_panel(panel.builder.id(count).grid_pos(spot))
                left += width
            top += height
    return made


def begin(uid: str, title: str, text: str) -> dashboard.Dashboard:
    """A dashboard with what all of them have in common."""
    others = (
        dashboard.DashboardLink("anchorwatch")
        .type(shapes.DashboardLinkType.DASHBOARDS)
        .tags(["anchorwatch"])
        .as_dropdown(as_dropdown=True)
        .include_vars(include_vars=True)
        .keep_time(keep_time=True)
    )
    page = (
        dashboard.DashboardLink("Page")
        .type(shapes.DashboardLinkType.LINK)
        .icon("external link")
        .tooltip("The agent's own page")
        .url("${page:raw}/")
        .target_blank(target_blank=True)
    )
    return (
        dashboard.Dashboard(title)
        .uid(uid)
        .description(text)
        .tags(["anchorwatch"])
        .timezone("browser")
        .refresh("1m")
        .time("now-24h", "now")
        .tooltip(shapes.DashboardCursorSync.CROSSHAIR)
        .links([others, page])
    )

"""Writes the dashboards, the copies of them that can be imported, and the alerts for Grafana.

python grafana/build.py            writes them
python grafana/build.py --check    exits with 1 when one is stale
"""

import json
import sys
from pathlib import Path
from typing import Any, Final

GRAFANA: Final = Path(__file__).parent
sys.path.insert(0, str(GRAFANA.parent))  # the pieces are made from the code of the agent

from grafana_foundation_sdk.cog.encoder import JSONEncoder  # noqa: E402  # see the path

from grafana import agent, alerts, database, fleet, smoke  # noqa: E402
from grafana.frame import PAGE  # noqa: E402  # see the path

MAKERS: Final = {
    "fleet": fleet.make,
    "database": database.make,
    "smoke": smoke.make,
    "agent": agent.make,
}
SCHEMA_VERSION: Final = 39
"""Of Grafana 10; newer ones bring it up to theirs when they load it."""
INPUT: Final = "DS_PROMETHEUS"


def build(maker: str) -> dict[str, Any]:
    """A dashboard as Grafana stores it, to be provisioned."""
    made = MAKERS[maker]().build()
    made.schema_version = SCHEMA_VERSION
    document: dict[str, Any] = json.loads(json.dumps(made, cls=JSONEncoder))
    # The library would put links and switches into a menu that only the newest Grafana has.
    for shown in (*document["links"], *document["annotations"]["list"]):
        del shown["placement"]
    return document


def make_importable(document: dict[str, Any]) -> dict[str, Any]:
    """A copy that asks for the data source and the page when it is imported.

    https://grafana.com/docs/grafana/latest/dashboards/share-dashboards-panels/ calls it
    "export for sharing externally".
    """
    text = json.dumps(document).replace("${datasource}", f"${{{INPUT}}}")
    copied: dict[str, Any] = json.loads(text.replace(f"var-datasource=${{{INPUT}}}&", ""))
    variables = copied["templating"]["list"]
    copied["templating"]["list"] = [one for one in variables if one["name"] != "datasource"]
    for one in copied["templating"]["list"]:
        if one["name"] == "page":
            one["query"] = "${VAR_PAGE}"
    kinds = {panel["type"] for panel in document["panels"]} - {"row"}
    return {
        "__inputs": [
            {
                "name": INPUT,
                "label": "Prometheus",
                "description": "The data source that scrapes anchorwatch.",
                "type": "datasource",
                "pluginId": "prometheus",
                "pluginName": "Prometheus",
            },
            {
                "name": "VAR_PAGE",
                "label": "Page",
                "description": "Where the agent's own page is, without a slash at the end.",
                "type": "constant",
                "value": PAGE,
            },
        ],
        "__elements": {},
        "__requires": [
            {"type": "grafana", "id": "grafana", "name": "Grafana", "version": "10.0.0"},
            {"type": "datasource", "id": "prometheus", "name": "Prometheus", "version": "1.0.0"},
            *({"type": "panel", "id": kind, "name": "", "version": ""} for kind in sorted(kinds)),
        ],
        **copied,
        "id": None,
    }


def render_all() -> dict[Path, str]:
    """Every file, by its path."""
    written = {GRAFANA / "provisioning" / "alerting" / "anchorwatch.yaml": alerts.render()}
    for maker in MAKERS:
        document = build(maker)
        written[GRAFANA / "dashboards" / f"{maker}.json"] = _write(document)
        written[GRAFANA / "import" / f"{maker}.json"] = _write(make_importable(document))
    return written


def _write(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def find_stale() -> list[Path]:
    """Files that are not what would be written, and those that nothing writes."""
    files = render_all()
    stale = [
        path
        for path, text in files.items()
        if not path.exists() or path.read_text("utf-8") != text
    ]
    folders = ("dashboards", "import", "provisioning/alerting")
    there = [path for name in folders for path in (GRAFANA / name).glob("*")]
    return stale + [path for path in there if path not in files]


def main() -> int:
    """Write the files, or check them."""
    if "--check" in sys.argv:
        stale = find_stale()
        for path in stale:
            print(f"stale: {path.relative_to(GRAFANA.parent)}")
        return 1 if stale else 0
    for path, text in render_all().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

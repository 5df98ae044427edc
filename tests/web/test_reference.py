from pathlib import Path

from monitor.sinks.store import Store
from monitor.web.app import make_app
from tests.web.builders import a_view

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "http.md"


def test_every_address_and_every_field_of_a_database_is_in_the_reference(store: Store) -> None:
    text = PAGE.read_text(encoding="utf-8")
    document = make_app(a_view(store)).openapi()
    for path in document["paths"]:
        shown = path.replace("{name}", "NAME").replace("{secret}", "SECRET")
        for number in ("{incident_id}", "{finding}", "{silence_id}"):
            shown = shown.replace(number, "ID")
        shown = shown.replace("{channel}", "CHANNEL")
        assert shown in text
    for name in ("DatabaseAnswer", "DatabasePage", "FindingAnswer", "AcceptanceAnswer"):
        for field in document["components"]["schemas"][name]["properties"]:
            assert f'"{field}"' in text or f"`{field}`" in text, field

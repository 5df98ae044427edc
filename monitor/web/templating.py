"""The one Jinja environment: everything is escaped, nothing may be undefined."""

from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from monitor.web import wording
from monitor.web.marking import mark_sides

_ENVIRONMENT: Final = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.filters.update(
    begin=wording.begin,
    reveal=wording.reveal,
    code=wording.mark_code,
    breakable=wording.make_breakable,
    words=wording.name_state,
    interval=wording.write_interval,
    server=wording.write_server,
)
_ENVIRONMENT.globals.update(
    tone=wording.choose_tone,
    time=wording.write_time,
    count=wording.count,
    mark_sides=mark_sides,
    view=None,
)


def render(template: str, **context: Any) -> str:
    """The page; without a ``view`` it says nothing about the agent.

    Args:
        template: name of a file in ``templates``.
        context: what the template shows.
    """
    return _ENVIRONMENT.get_template(template).render(context)

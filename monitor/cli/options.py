"""Options that several commands have; imports little, so that --help is quick."""

from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.choices import Format

ConfigOption = Annotated[
    str | None, typer.Option("--config", help="The configuration: a path or https:// URL.")
]
FormatOption = Annotated[Format, typer.Option("--format", help="How to print it.")]
ShadowOption = Annotated[
    str | None,
    typer.Option("--shadow", help="A server for scratch databases, instead of the embedded one."),
]
PythonOption = Annotated[
    Path | None,
    typer.Option("--python", help="The interpreter that has the application's packages."),
]
UrlEnvOption = Annotated[
    list[str] | None,
    typer.Option("--url-env", help="A further variable from which env.py reads its URL."),
]
VerboseOption = Annotated[
    bool, typer.Option("--verbose", help="Show what env.py and the models print.")
]
PostgresOption = Annotated[
    int | None, typer.Option("--postgres", min=1, help="The major version of the shadow.")
]

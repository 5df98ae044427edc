"""SQLAlchemy models, written as DDL in the user's interpreter and built in a scratch."""

from pathlib import Path

from monitor.core.dated import find_dates
from monitor.core.script import Statement
from monitor.sources.build import BuildOptions, explain, make_interpreter, make_job
from monitor.sources.interpreter import Ddl, Failed, Said
from monitor.sources.shadow import Scratch
from monitor.sources.statements import run_statements


async def build_models(scratch: Scratch, target: str, options: BuildOptions) -> tuple[Path, ...]:
    """Build what ``package.module:attribute`` says; return the files it was read from.

    Those are the modules below the current directory, which is where the package is
    looked for first.

    Raises:
        BuildError: the models cannot be imported, are no MetaData, or the server refuses
            their DDL.
        TooSlow: it took longer than its deadline.
    """
    label = f"models:{target}"
    interpreter = make_interpreter(options, directory=Path.cwd())
    job = make_job(scratch, options, interpreter.environment)
    job |= {"task": "models", "target": target}
    told: list[Ddl] = []

    async def respond(event: Said) -> None:
        if isinstance(event, Ddl):
            told.append(event)

    ended = await interpreter.run(job, respond)
    if isinstance(ended, Failed):
        raise explain(ended, interpreter, scratch, label)
    [ddl] = told
    for text in ddl.statements:
        options.hear(find_dates(text))
    statements = (
        Statement(text=text, line=number, start=0)
        for number, text in enumerate(ddl.statements, start=1)
    )
    await run_statements(scratch, statements, lambda one, _: f"{label}, statement {one.line}")
    return tuple(map(Path, ddl.files))


def guess_files(target: str) -> tuple[Path, ...]:
    """Where the module of ``package.module:attribute`` is looked for first.

    That is all that is known of the files before a build told them.
    """
    path = Path.cwd().joinpath(*target.partition(":")[0].split("."))
    return (path.with_suffix(".py"), path / "__init__.py")

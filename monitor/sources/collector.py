"""Runs in the user's interpreter: replays a history, or writes what models say as DDL.

One file, started by its path, for Python 3.8 and later, with nothing but the standard
library and the user's own Alembic and SQLAlchemy. It is given one line of JSON on
standard input and answers with one JSON object a line on what was standard output; what
the user's code prints goes to standard error. When standard input ends, whoever asked
is gone, and so are we.

Before any of the user's code runs, every new connection of SQLAlchemy is checked: one
that is not to the shadow is refused.
"""

# ruff: noqa: E402  # the search path is put right before anything is imported

from __future__ import annotations

import sys

# The folder of this file holds modules named as those of the standard library.
sys.path[:] = [entry for entry in sys.path if entry != __file__.rpartition("/")[0]]

import argparse
import contextlib
import gc
import importlib
import importlib.util
import json
import os
import re
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

NUMBERED_FROM = (2, 0)  # psycopg 3 is a dialect since SQLAlchemy 2.0
FAILED = 1
# What a server of any language puts round a value:
QUOTATION = re.compile('["\u00ab\u00bb\u2018\u201a\u201c-\u201e\u300c]')
# https://www.postgresql.org/docs/current/errcodes-appendix.html, by its first two characters:
DATA_EXCEPTION = "22"
SYNTAX_ERROR = "42601"


class Problem(Exception):
    """Something the parent has a sentence for; `code` names it."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class Channel:
    """The line to whoever asked: a job comes in, events go out."""

    def __init__(self) -> None:
        self._lines = os.fdopen(os.dup(0), "r", encoding="utf-8")
        self._answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)
        with open(os.devnull, encoding="utf-8") as nothing:  # noqa: PTH123  # Python 3.8
            os.dup2(nothing.fileno(), 0)
        self.job: dict[str, Any] = json.loads(self._lines.readline())
        self._reply: str | None = None
        self._has_reply = threading.Semaphore(0)
        threading.Thread(target=self._listen, daemon=True).start()

    def tell(self, event: str, **fields: Any) -> None:
        """Say one thing, after all that was printed: the last word may end this process."""
        flush_prints()
        self._answers.write(json.dumps({"event": event, **fields}) + "\n")
        self._answers.flush()

    def ask(self, event: str, **fields: Any) -> str:
        """Say one thing and wait for the answer."""
        self.tell(event, **fields)
        self._has_reply.acquire()
        return str(self._reply)

    def _listen(self) -> None:
        for line in self._lines:
            self._reply = json.loads(line)
            self._has_reply.release()
        os._exit(FAILED)


class Guard:
    """Refuses every connection of SQLAlchemy that is not to the shadow."""

    def __init__(self, shadow: dict[str, Any]) -> None:
        self._shadow = shadow
        self.refused: list[str] = []

    def install(self) -> None:
        """Stand before every engine that will be made."""
        from sqlalchemy import event  # noqa: PLC0415  # of the user's environment
        from sqlalchemy.engine import Engine  # noqa: PLC0415  # as above
        from sqlalchemy.pool import Pool  # noqa: PLC0415  # as above

        event.listen(Engine, "do_connect", self._check_target)
        event.listen(Pool, "connect", self._check_database)

    def _check_target(self, dialect: Any, _record: Any, cargs: Any, cparams: Any) -> None:
        """Compare what the driver is about to be told; nothing has been sent yet."""
        name = getattr(dialect, "name", "")
        hidden = [key for key in ("dsn", "service", "hostaddr", "passfile") if cparams.get(key)]
        said = {
            "host": _single(cparams.get("host")),
            "port": _single(cparams.get("port")),
            "database": cparams.get("database") or cparams.get("dbname"),
            "user": cparams.get("user"),
        }
        wanted = {key: self._shadow[key] for key in said}
        is_same = {k: str(v) for k, v in said.items()} == {k: str(v) for k, v in wanted.items()}
        if name != "postgresql" or hidden or any(cargs) or not is_same:
            self._refuse("{}://{host}:{port}/{database}".format(name, **said))

    def _check_database(self, connection: Any, _record: Any) -> None:
        """Ask the server where we are: an engine may have a `creator` of its own."""
        cursor = connection.cursor()
        try:
            cursor.execute("SELECT current_database()")
            where = str(cursor.fetchone()[0])
        finally:
            cursor.close()
        connection.rollback()
        if where != self._shadow["database"]:
            self._refuse(where)

    def _refuse(self, where: str) -> None:
        self.refused.append(where)
        raise Problem("refused", where)


def _single(value: Any) -> Any:
    if isinstance(value, (list, tuple)) and len(value) == 1:
        return value[0]
    return value


def choose_driver(hints: Iterable[str | None], *, is_async: bool) -> str | None:
    """The driver that the user's own URLs name if it is there, else one that is."""
    import sqlalchemy  # noqa: PLC0415  # of the user's environment

    version = tuple(int(part) for part in re.findall(r"\d+", sqlalchemy.__version__)[:2])
    known = ["asyncpg", "psycopg2"] if is_async else ["psycopg2", "asyncpg"]
    if version >= NUMBERED_FROM:
        known.insert(0, "psycopg")  # serves both ways of asking
    present = [name for name in known if importlib.util.find_spec(name)]
    for hint in hints:
        base = "psycopg" if hint == "psycopg_async" else hint
        if hint and base in present:
            return hint
    return present[0] if present else None


def write_url(shadow: dict[str, Any], driver: str | None) -> str:
    """The shadow's URL as SQLAlchemy reads it, its driver named."""
    user = quote(shadow["user"], safe="")
    secret = ":" + quote(shadow["password"], safe="") if shadow["password"] else ""
    query = {}
    place = "{host}:{port}".format(**shadow)
    if shadow["host"].startswith("/"):
        place, query = "", {"host": shadow["host"], "port": str(shadow["port"])}
    elif shadow["sslmode"]:
        query = {"ssl" if driver == "asyncpg" else "sslmode": shadow["sslmode"]}
    scheme = "postgresql+" + driver if driver else "postgresql"
    tail = "?" + urlencode(query, safe="/") if query else ""
    return f"{scheme}://{user}{secret}@{place}/{shadow['database']}{tail}"


def set_environment(job: dict[str, Any], drivers: dict[str, str], fallback: str | None) -> str:
    """Name the shadow where applications look for their database; return its URL."""
    shadow = job["shadow"]
    for name in ["DATABASE_URL", *job["url_env"]]:
        os.environ[name] = write_url(shadow, drivers.get(name, fallback))
    values = {"HOST": "host", "PORT": "port", "USER": "user", "DATABASE": "database"}
    for name, key in values.items():
        os.environ["PG" + name] = str(shadow[key])
    if shadow["password"]:
        os.environ["PGPASSWORD"] = shadow["password"]
    return write_url(shadow, fallback)


def prepare(job: dict[str, Any]) -> tuple[Guard, str]:
    """Install the guard, choose the driver and set the environment."""
    try:
        import sqlalchemy  # noqa: F401, PLC0415  # of the user's environment
    except ImportError:
        raise Problem("no_sqlalchemy") from None
    guard = Guard(job["shadow"])
    guard.install()
    driver = choose_driver(job["drivers"], is_async=job["is_async"])
    if driver is None and job["task"] == "replay":
        raise Problem("no_driver")
    named = {
        name: choose_driver([hint, driver], is_async=job["is_async"]) or ""
        for name, hint in job["named_drivers"].items()
    }
    return guard, set_environment(job, named, driver)


def load_beside(name: str) -> Any:
    """A module that lies beside this file, whatever else is called like it."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), name + ".py")  # noqa: PTH100, PTH118, PTH120  # Python 3.8
    spec: Any = importlib.util.spec_from_file_location("anchorwatch_" + name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Replay:
    """One run of a history to the wanted revisions."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._planned: list[str] = []
        self._applied = 0
        self._observer: Any = None
        self.dates: set[str] = set()

    @property
    def current(self) -> str | None:
        """The revision that is running, if one is."""
        return self._planned[self._applied] if self._applied < len(self._planned) else None

    def run(self, url: str) -> None:
        """Load env.py and let it migrate."""
        try:
            from alembic.config import Config  # noqa: PLC0415  # of the user's environment
            from alembic.runtime.environment import EnvironmentContext  # noqa: PLC0415  # as above
            from alembic.script import ScriptDirectory  # noqa: PLC0415  # as above
        except ImportError:
            raise Problem("no_alembic") from None
        job = self._channel.job
        wanted = job["revisions"]
        said = wanted[0] if len(wanted) == 1 else "heads"
        options = argparse.Namespace(
            config=job["ini"], name=job["section"], revision=said, sql=False, tag=None, x=None
        )
        config = Config(job["ini"], ini_section=job["section"], cmd_opts=options)
        config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
        script = ScriptDirectory.from_config(config)
        stamped = tuple(job.get("stamped", ()))

        def leave(_current: Any, context: Any) -> list[Any]:
            """From the models of the heads back to what was there before the first revision."""
            del context
            heads = tuple(script.get_heads())
            stamp = list(script._stamp_revs(heads, ()))  # noqa: SLF001  # as its own command
            back: Any = heads if len(heads) > 1 else heads[0]
            return stamp + list(script._downgrade_revs("base", back))  # noqa: SLF001  # as above

        def upgrade(current: Any, context: Any) -> list[Any]:
            if self._observer and self._planned:
                raise Problem("runs_again")
            context.on_version_apply_callbacks += (self._report,)
            # A name stands for one revision only; a tuple is taken as well.
            target: Any = tuple(wanted)
            begin: Any = stamped or current
            steps = list(script._upgrade_revs(target, begin))  # noqa: SLF001  # as its own command
            steps.sort(key=lambda step: places.get(step.revision.revision, 0))
            self._planned = [step.revision.revision for step in steps]
            self._applied = 0
            if self._observer:
                self._observer.begin(context.connection)
            stamps: Any = script._stamp_revs(stamped, ()) if stamped else ()  # noqa: SLF001  # as above
            return [*stamps, *steps]

        places = {name: place for place, name in enumerate(job.get("order", ()))}
        if "reading" in job:
            self._observer = load_beside("observer").Observer(job["reading"], self._channel.tell)
            self._observer.install()
        self._attend_statements()
        if job.get("downgrade"):
            with EnvironmentContext(config, script, fn=leave, destination_rev="base"):
                script.run_env()
        with EnvironmentContext(config, script, fn=upgrade, destination_rev=said):
            script.run_env()

    def _report(self, ctx: Any, step: Any, **_: Any) -> None:
        """Run after each revision, inside its transaction."""
        if step.is_stamp:
            return
        self._applied += 1
        if self._observer:
            revision = self._planned[self._applied - 1]
            self._observer.finish_revision(ctx.connection, revision)
        self._channel.tell(
            "applied",
            revision=self._planned[self._applied - 1],
            done=self._applied,
            total=len(self._planned),
        )

    def _attend_statements(self) -> None:
        """Let whoever asked create what the shadow's owner may not, and note the dates."""
        from sqlalchemy import event  # noqa: PLC0415  # of the user's environment
        from sqlalchemy.engine import Engine  # noqa: PLC0415  # as above

        mention = re.compile(
            r"\b(?:create|alter|drop|on)\s+(?:extension|role|user|group)\b|\b(?:grant|revoke)\b",
            re.IGNORECASE,
        )
        date = re.compile(self._channel.job["dates"])

        def admit(_c: Any, _cursor: Any, sql: str, parameters: Any, *_: Any) -> tuple[str, Any]:
            if self._channel.job.get("echo"):
                sys.stderr.write(sql.strip() + "\n")
            self.dates.update(found.group() for found in date.finditer(sql))
            if mention.search(sql):
                sql = self._channel.ask("statement", sql=sql)
            return sql, parameters

        event.listen(Engine, "before_cursor_execute", admit, retval=True)


def write_models(channel: Channel) -> None:
    """Tell the DDL of the models that the job names, and the files it comes from."""
    sys.path.insert(0, os.getcwd())  # noqa: PTH109  # as `python -m` does
    module_name, _, attributes = channel.job["target"].partition(":")
    found: Any = importlib.import_module(module_name)
    for attribute in attributes.split("."):
        if not hasattr(found, attribute):
            raise Problem("no_attribute", attribute)
        found = getattr(found, attribute)
    tables = list(find_metadata(found))
    statements = [statement for metadata in tables for statement in write_ddl(metadata)]
    modules = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
    here = os.getcwd() + os.sep  # noqa: PTH109  # Python 3.8
    files = sorted({name for name in modules if name and name.startswith(here)})
    channel.tell("ddl", statements=statements, files=files)


def find_metadata(found: Any) -> Iterator[Any]:
    """The MetaData that an object is, has, returns or lists."""
    from sqlalchemy import MetaData  # noqa: PLC0415  # of the user's environment

    if callable(found) and not isinstance(found, type) and not hasattr(found, "metadata"):
        found = found()
    for item in found if isinstance(found, (list, tuple)) else [found]:
        metadata = item if isinstance(item, MetaData) else getattr(item, "metadata", None)
        if not isinstance(metadata, MetaData):
            raise Problem("no_metadata", type(item).__name__)
        yield metadata


def write_ddl(metadata: Any) -> list[str]:
    """What `create_all` sends to an empty database, the schemas first."""
    import sqlalchemy  # noqa: PLC0415  # of the user's environment

    statements = []
    for schema in sorted(set(find_schemas(metadata))):
        quoted = schema.replace('"', '""')
        statements.append(f'CREATE SCHEMA IF NOT EXISTS "{quoted}"')

    def record(statement: Any, *_: Any, **__: Any) -> None:
        text = (
            statement if isinstance(statement, str) else statement.compile(dialect=engine.dialect)
        )
        statements.append(str(text).strip())

    # With another style the percent signs would be doubled for the driver.
    make: Any = getattr(sqlalchemy, "create_mock_engine", None)  # since 1.4
    if make is None:
        old: dict[str, Any] = {"strategy": "mock", "executor": record}
        engine: Any = sqlalchemy.create_engine("postgresql://", paramstyle="named", **old)
    else:
        engine = make("postgresql://", record, paramstyle="named")
    # SQLAlchemy's own stand-in has no such method; listeners of before_create use it.
    engine.exec_driver_sql = record
    metadata.create_all(engine, checkfirst=False)
    return statements


def find_schemas(metadata: Any) -> Iterator[str]:
    """Every schema that a table, a type or a sequence is to be in, some of them twice."""
    for table in metadata.tables.values():
        yield from (name for name in [table.schema] if name)
        types = [getattr(column.type, "item_type", column.type) for column in table.columns]
        yield from (name for name in (getattr(t, "schema", None) for t in types) if name)
    sequences = getattr(metadata, "_sequences", {}).values()
    yield from (item.schema for item in sequences if item.schema)


def flush_prints() -> None:
    """Send on what the user's code printed, whatever it has made of the two streams."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, OSError, ValueError):
            stream.flush()


def describe(error: BaseException) -> str:
    """The class and the first line of an error; of SQLAlchemy's, the driver's own."""
    cause: Any = getattr(error, "orig", None) or error
    lines = [line for line in read_words(cause).splitlines() if line.strip()]
    return f"{type(cause).__name__}: {lines[0]}" if lines else type(cause).__name__


def read_words(cause: Any) -> str:
    """What the driver says; without the values that a server quotes of data that it refuses."""
    said = [one for one in getattr(cause, "args", ()) if isinstance(one, dict)]
    fields = said[0] if said else {}  # of pg8000: what it has beside the message may be a row
    words = str(fields.get("M") or cause)
    codes = (getattr(cause, "sqlstate", None), getattr(cause, "pgcode", None), fields.get("C"))
    is_literal = SYNTAX_ERROR in codes and "'" in words
    if not (is_literal or any(str(code).startswith(DATA_EXCEPTION) for code in codes)):
        return words
    quoted = QUOTATION.search(words)
    return f'{words[: quoted.start()]}"***"' if quoted else words


def main() -> None:
    """Do the one job, answer, and end whatever threads the user's code has left."""
    gc.disable()  # going through what is imported is a fifth of what importing takes
    channel = Channel()
    replay = Replay(channel)
    guard = None
    tasks: dict[str, Callable[[str], None]] = {
        "replay": replay.run,
        "models": lambda _url: write_models(channel),
    }
    try:
        guard, url = prepare(channel.job)
        gc.freeze()
        gc.enable()
        if channel.job["ahead_seconds"]:
            load_beside("clock").move_clock(channel.job["ahead_seconds"])
        tasks[channel.job["task"]](url)
        channel.tell("done", refused=guard.refused, dates=sorted(replay.dates))
    except BaseException as error:  # noqa: BLE001  # env.py may raise anything, SystemExit too
        code = "refused" if guard and guard.refused else getattr(error, "code", None)
        detail = error.detail if isinstance(error, Problem) else describe(error)
        if code == "refused" and guard:
            detail = guard.refused[0]
        known = code if isinstance(error, Problem) or code == "refused" else "raised"
        channel.tell("failed", code=known, detail=detail, revision=replay.current)
    os._exit(0)


if __name__ == "__main__":
    main()

"""The user's interpreter: started with the collector, listened to, and ended for certain."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from monitor.core.errors import BuildError, TooSlow
from monitor.sources.environment import Environment

COLLECTOR: Final = Path(__file__).resolve().with_name("collector.py")
REPLAY_SECONDS: Final = 1800.0
"""The longest history we know, 344 revisions, takes under two minutes on a slow machine."""
LINE_BYTES: Final = 256 * 2**20
"""The DDL of thousands of models is one line."""
TAIL_BYTES: Final = 4096
"""Of what the user's code prints, the end says why it died."""


class Applied(msgspec.Struct, frozen=True, tag_field="event", tag="applied"):
    """A revision is done, the `done`-th of `total`."""

    revision: str
    done: int
    total: int


class Asked(msgspec.Struct, frozen=True, tag_field="event", tag="statement"):
    """A statement that may need a superuser, or roles; it waits for what to run in its place."""

    sql: str


class Seen(msgspec.Struct, frozen=True, tag_field="event", tag="seen"):
    """How the catalog's rows differ from those that were told last.

    Attributes:
        moment: `base`, before the first revision; `revision`, when one is done; `step`,
            where one could stop.
        added: rows that came.
        removed: rows that went.
        texts: what the text statement says otherwise than before.
        statements: what ran since, and whether it would be undone.
        revision: that is done.
    """

    moment: Literal["base", "revision", "step"]
    added: tuple[tuple[str | None, ...], ...]
    removed: tuple[tuple[str | None, ...], ...]
    texts: tuple[tuple[str | None, ...], ...]
    statements: tuple[tuple[str, bool], ...]
    revision: str = ""


class Ddl(msgspec.Struct, frozen=True, tag_field="event", tag="ddl"):
    """What the models say, and the files that were read for it."""

    statements: tuple[str, ...]
    files: tuple[str, ...]


class Done(msgspec.Struct, frozen=True, tag_field="event", tag="done"):
    """It went well; the connections that were refused on the way, and the dates in statements."""

    refused: tuple[str, ...]
    dates: tuple[str, ...] = ()


class Failed(msgspec.Struct, frozen=True, tag_field="event", tag="failed"):
    """It did not: a bounded word, the user's own error, and the revision that ran."""

    code: str
    detail: str
    revision: str | None


type Said = Applied | Asked | Ddl | Seen
type Event = Said | Done | Failed
type Respond = Callable[[Said], Awaitable[str | None]]

_DECODER: Final[msgspec.json.Decoder[Event]] = msgspec.json.Decoder(
    Applied | Asked | Ddl | Seen | Done | Failed
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """How the user's code is run.

    Attributes:
        python: the interpreter.
        directory: where it is started.
        environment: what it gets.
        is_verbose: whether what the code prints goes to our standard error.
    """

    python: Path
    directory: Path
    environment: Environment
    is_verbose: bool = False

    async def run(self, job: Mapping[str, Any], respond: Respond) -> Done | Failed:
        """Let the collector do a job; nothing of it runs on afterwards, cancelled or not.

        Args:
            job: what the collector reads; holds secrets.
            respond: called with each event; what it returns answers `Asked`.

        Raises:
            BuildError: the interpreter cannot be started.
            TooSlow: the job takes longer than its deadline.
        """
        process = await self._start()
        complaints = _Tail(show=self._show if self.is_verbose else _ignore)
        listening = asyncio.ensure_future(complaints.read(process.stderr))
        try:
            async with asyncio.timeout(REPLAY_SECONDS) as scope:
                ended = await _converse(process, job, respond)
                if ended is None:
                    await asyncio.wait([listening], timeout=1)
                    ended = Failed(code="crashed", detail=complaints.last_line, revision=None)
                return ended
        except TimeoutError:
            if not scope.expired():
                raise
            raise TooSlow(
                f'The application took longer than {REPLAY_SECONDS:g} s (deadline "replay").',
                next_step="Look at what it waits for: `--verbose` shows what it prints.",
            ) from None
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
            if self.is_verbose:  # the last lines may still be on their way
                await asyncio.wait([listening], timeout=1)
            listening.cancel()

    def _show(self, line: str) -> None:
        sys.stderr.write(f"{self.environment.mask(line, limit=TAIL_BYTES)}\n")

    async def _start(self) -> asyncio.subprocess.Process:
        try:
            return await asyncio.create_subprocess_exec(
                str(self.python),
                str(COLLECTOR),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                cwd=self.directory,
                env=dict(self.environment.variables),
                start_new_session=True,
                limit=LINE_BYTES,
            )
        except OSError as error:
            raise BuildError(
                f"The interpreter {self.python} cannot be started ({error.strerror}).",
                next_step="Name the application's interpreter: `--python PATH/bin/python`.",
            ) from None


async def _converse(
    process: asyncio.subprocess.Process, job: Mapping[str, Any], respond: Respond
) -> Done | Failed | None:
    """Send the job and answer until it ends; None when it ends without a word."""
    assert process.stdin is not None  # noqa: S101  # both are pipes
    assert process.stdout is not None  # noqa: S101  # as above
    with suppress(ConnectionError):
        await _send(process.stdin, job)
        async for line in process.stdout:
            event = _DECODER.decode(line)
            if isinstance(event, Done | Failed):
                return event
            answer = await respond(event)
            if isinstance(event, Asked):
                await _send(process.stdin, answer)
    return None


async def _send(pipe: asyncio.StreamWriter, value: object) -> None:
    pipe.write(msgspec.json.encode(value) + b"\n")
    await pipe.drain()


def _ignore(_line: str) -> None:
    """Tell nobody."""


class _Tail:
    """The end of what a child prints, each line of which is shown as well where that is wanted."""

    def __init__(self, *, show: Callable[[str], None]) -> None:
        self._show = show
        self._kept = b""
        self._begun = b""

    async def read(self, stream: asyncio.StreamReader | None) -> None:
        """Read until the child closes it."""
        while stream is not None and (chunk := await stream.read(TAIL_BYTES)):
            self._kept = (self._kept + chunk)[-TAIL_BYTES:]
            *lines, self._begun = (self._begun + chunk).split(b"\n")
            if len(self._begun) > TAIL_BYTES:  # no end of the line in sight
                lines, self._begun = [*lines, self._begun], b""
            self._show_all(lines)
        self._show_all([self._begun] if self._begun else [])

    def _show_all(self, lines: Iterable[bytes]) -> None:
        for line in lines:
            self._show(line.decode(errors="replace"))

    @property
    def last_line(self) -> str:
        """The last line with something in it."""
        lines = [line for line in self._kept.decode(errors="replace").splitlines() if line.strip()]
        return lines[-1].strip() if lines else "it said nothing"

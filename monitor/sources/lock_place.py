"""Where a lock is: in a file, or at an address, which is asked whether it has another one."""

import asyncio
import hashlib
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from monitor.core.errors import AnchorwatchError, BuildError
from monitor.core.source import COMMIT, Source
from monitor.sources.build import BuildOptions
from monitor.sources.files import read_file

if TYPE_CHECKING:  # the door to the web takes longer to load than most commands take
    from monitor.sources.http import Answer

MOST_BYTES: Final = 32 * 1024 * 1024
"""Ten times what a large history makes."""


_REDIRECTION: Final = 3


@dataclass(frozen=True, slots=True)
class LockDocument:
    """A lock as it was read.

    Attributes:
        body: its bytes.
        commit: of the code that it was built from; empty where nobody says.
    """

    body: bytes = field(repr=False)
    commit: str

    @property
    def digest(self) -> str:
        """SHA-256 of the bytes."""
        return hashlib.sha256(self.body).hexdigest()


class LockPlace:
    """One place; what was read of it last is remembered with its ETag (RFC 9110, 8.8.3)."""

    def __init__(self, source: Source, options: BuildOptions) -> None:
        self._source = source
        self._options = options
        self._last = LockDocument(b"", "")
        self._etag = ""

    async def read(self) -> LockDocument:
        """The lock that is there now.

        Raises:
            BuildError: it cannot be read.
        """
        url = self._source.url
        body = await (asyncio.to_thread(self._read_file) if url is None else self._fetch(url))
        if body is not None:
            self._last = LockDocument(body, self._options.commit)
        return self._last

    def _read_file(self) -> bytes:
        try:
            return read_file(Path(self._source.path or ""))
        except OSError as error:
            raise BuildError(
                f"{self._source} cannot be read ({error.strerror}).",
                next_step="Check the path, or build it: `anchorwatch lock build SOURCE -o FILE`.",
            ) from None

    async def _fetch(self, url: str) -> bytes | None:
        """What the address answers; None where that is what it answered last time."""
        if COMMIT in url and not self._options.commit:
            raise BuildError(
                f"{self._source} wants to know which commit is deployed, and nobody says.",
                next_step="Set `commit` of this database, or leave {commit} out of the address.",
            )
        from monitor.sources.http import open_client, read_address  # noqa: PLC0415  # see above

        address = read_address(url.replace(COMMIT, quote(self._options.commit, safe="")))
        headers = {"Accept": "application/json, */*"}
        if self._options.token:
            headers["Authorization"] = f"Bearer {self._options.token}"
        if self._etag:
            headers["If-None-Match"] = self._etag
        try:
            async with open_client(body_bytes=MOST_BYTES) as client:
                answer = await client.get(address, headers=headers)
        except AnchorwatchError as error:
            raise BuildError(
                f"{self._source} cannot be fetched: {error.message}", next_step=error.next_step
            ) from None
        if answer.status == HTTPStatus.NOT_MODIFIED and self._last.body:
            return None
        self._refuse_other(answer)
        self._etag = answer.headers.get("etag", "")
        return answer.body

    def _refuse_other(self, answer: "Answer") -> None:
        """Nothing, where the answer is a lock.

        Raises:
            BuildError: it is not; says why.
        """
        if answer.is_cut:
            raise BuildError(
                f"{self._source} answered more than {MOST_BYTES // 2**20} MiB.",
                next_step="Check that the address is that of a lock.",
            )
        if answer.status == HTTPStatus.OK:
            return
        step = "Check the address."
        if answer.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            step = "Set `lock_token` to a token that may read it."
        elif answer.status == HTTPStatus.NOT_FOUND:
            step = "Check the address, the commit, and that `lock_token` may read it."
        elif answer.status // 100 == _REDIRECTION:
            step = "Name the address that it leads to: redirects are not followed."
        raise BuildError(f"{self._source} answered {answer.status}.", next_step=step)

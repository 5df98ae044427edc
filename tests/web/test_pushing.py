"""What pipelines push, as they would: `curl -T schema.lock.json`."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest

from monitor.core.errors import DamagedFile
from monitor.sinks.locks import Keeping
from monitor.sinks.store import Store
from monitor.web.limits import MAX_BODY
from monitor.web.view import View
from tests.web.builders import SECRET, a_view, client_of

OTHER = "another-long-secret"

NOTHING: Mapping[str, str] = MappingProxyType({})
LOCK = "/api/databases/billing/lock"


class Pipeline:
    """Stands where the agent keeps locks; what it was given."""

    def __init__(self, store: Store, keeping: Keeping = Keeping.NEW, **view: Any) -> None:
        self.given: list[tuple[tuple[str, str], int, str, bool]] = []
        self._keeping = keeping
        self.view: View = a_view(store, push=self._push, **view)

    async def _push(
        self, place: tuple[str, str], body: bytes, commit: str, *, anew: bool
    ) -> Keeping:
        if body == b"damaged":
            raise DamagedFile("What was sent is not a lock.", next_step="Build it again.")
        self.given.append((place, len(body), commit, anew))
        return self._keeping

    async def push(
        self,
        query: str = "?commit=abc1234",
        body: bytes = b"{}",
        headers: Mapping[str, str] = NOTHING,
    ) -> tuple[int, dict[str, Any]]:
        async with client_of(self.view, headers=headers) as client:
            answer = await client.put(f"{LOCK}{query}", content=body)
        return answer.status_code, answer.json()


@pytest.mark.parametrize(("keeping", "status"), [(Keeping.NEW, 201), (Keeping.SAME, 200)])
async def test_a_lock_is_kept_with_its_commit(store: Store, keeping: Keeping, status: int) -> None:
    pipeline = Pipeline(store, keeping)
    answer = await pipeline.push()
    assert answer == (
        status,
        {
            "format": 1,
            "name": "billing",
            "environment": "production",
            "commit": "abc1234",
            "status": str(keeping),
        },
    )
    assert pipeline.given == [(("production", "billing"), 2, "abc1234", False)]


@pytest.mark.parametrize(
    ("keeping", "code"),
    [
        (Keeping.CONFLICT, "commit_has_another_lock"),
        (Keeping.FOREIGN, "another_application"),
        (Keeping.UNUSED, "not_expected"),
    ],
)
async def test_what_cannot_be_is_a_conflict(store: Store, keeping: Keeping, code: str) -> None:
    status, answer = await Pipeline(store, keeping).push()
    assert (status, answer["error"]["code"]) == (409, code)
    assert answer["error"]["next"]


@pytest.mark.parametrize(
    "query", ["", "?commit=", "?commit=a%00b", "?commit=a/b", f"?commit={'a' * 101}"]
)
async def test_a_commit_is_needed(store: Store, query: str) -> None:
    pipeline = Pipeline(store)
    status, answer = await pipeline.push(query)
    assert (status, answer["error"]["code"]) == (422, "invalid")
    assert pipeline.given == []


async def test_what_is_no_lock_is_refused_with_the_next_step(store: Store) -> None:
    status, answer = await Pipeline(store).push(body=b"damaged")
    assert (status, answer["error"]["message"]) == (422, "What was sent is not a lock.")


async def test_a_database_that_nobody_watches_has_none(store: Store) -> None:
    async with client_of(Pipeline(store).view) as client:
        answer = await client.put("/api/databases/nobody/lock?commit=a", content=b"{}")
    assert answer.status_code == 404


async def test_a_lock_may_be_longer_than_other_requests(store: Store) -> None:
    pipeline = Pipeline(store)
    assert (await pipeline.push(body=b" " * (2 * MAX_BODY)))[0] == 201
    status, answer = await pipeline.push(body=b" " * (33 * MAX_BODY))
    assert (status, answer["error"]["code"]) == (413, "too_large")


@pytest.mark.parametrize("is_loopback", [True, False])
@pytest.mark.parametrize(
    ("sent", "pushed", "others"), [(None, 401, 401), (SECRET, 201, 200), (OTHER, 201, 401)]
)
async def test_the_token_of_a_pipeline_pushes_and_opens_nothing_else(
    store: Store, sent: str | None, pushed: int, others: int, *, is_loopback: bool
) -> None:
    pipeline = Pipeline(store, api_token=SECRET, push_token=OTHER, is_loopback=is_loopback)
    headers = {"Authorization": f"Bearer {sent}"} if sent else {}
    assert (await pipeline.push(headers=headers))[0] == pushed
    async with client_of(pipeline.view, headers=headers) as client:
        for path in ("/api/databases", "/api/databases/billing", "/metrics"):
            assert (await client.get(path)).status_code == others
        answer = await client.post("/api/databases/billing/look")
        assert answer.status_code == (202 if others == 200 else 401)
        assert (await client.get(LOCK)).status_code == (405 if others == 200 else 401)


async def test_a_page_of_another_site_pushes_nothing(store: Store) -> None:
    pipeline = Pipeline(store)
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert (await pipeline.push(headers=headers))[0] == 403
    assert pipeline.given == []

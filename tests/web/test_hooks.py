"""What platforms post: taken at once, with the right secret, once."""

from typing import Any

import pytest

from monitor.core.deployment import Deployment
from monitor.sinks.store import Store
from tests.web.builders import SECRET, a_view, client_of

RAILWAY, DEPLOY = "railway-secret-0123456789", "deploy-secret-0123456789"


class Taking:
    """Takes each deployment once."""

    def __init__(self) -> None:
        self.taken: list[Deployment] = []

    async def __call__(self, deployment: Deployment) -> bool:
        is_new = deployment.id not in [one.id for one in self.taken]
        self.taken.append(deployment)
        return is_new


def hooked(store: Store, taking: Taking, **changes: Any) -> Any:
    said = {"railway_secret": RAILWAY, "deploy_secret": DEPLOY, "is_loopback": False}
    return a_view(store, deployed=taking, **said | changes)


async def test_a_report_is_taken_at_once_and_once(store: Store) -> None:
    taking = Taking()
    async with client_of(hooked(store, taking, api_token=SECRET)) as client:
        path = f"/hooks/deploy/{DEPLOY}"
        first = await client.post(path, json={"commit": "3f2a1c"})
        again = await client.post(path, json={"commit": "3f2a1c"})
        empty = await client.post(path)
    assert [answer.status_code for answer in (first, again, empty)] == [202, 202, 202]
    assert first.json() == {"format": 1, "deployment": taking.taken[0].id, "new": True}
    assert again.json()["new"] is False
    assert empty.json()["new"] is True


async def test_a_report_that_concerns_nobody_here_has_no_deployment(store: Store) -> None:
    async def take(_deployment: Deployment) -> None:
        return None

    async with client_of(a_view(store, deployed=take, deploy_secret=DEPLOY)) as client:
        answer = await client.post(f"/hooks/deploy/{DEPLOY}", json={"databases": ["nope"]})
    assert answer.status_code == 202
    assert answer.json() == {"format": 1, "deployment": None, "new": False}


async def test_railway_is_taken_from_a_browser_too(store: Store) -> None:
    taking = Taking()
    headers = {"Origin": "https://railway.com", "Sec-Fetch-Site": "cross-site"}
    async with client_of(hooked(store, taking)) as client:
        path = f"/hooks/railway/{RAILWAY}"
        taken = await client.post(path, json={"type": "Deployment.success"}, headers=headers)
        other = await client.post(path, json={"type": "Deployment.building"}, headers=headers)
    assert (taken.status_code, taken.json()["new"]) == (202, True)
    assert other.json() == {"format": 1, "deployment": None, "new": False}


@pytest.mark.parametrize(
    "path",
    [
        "/hooks/railway/wrong",
        f"/hooks/railway/{DEPLOY}",
        f"/hooks/deploy/{RAILWAY}",
        "/hooks/deploy/",
        f"/hooks/other/{DEPLOY}",
    ],
)
async def test_a_wrong_secret_is_an_address_that_is_not_there(store: Store, path: str) -> None:
    taking = Taking()
    async with client_of(hooked(store, taking)) as client:
        answer = await client.post(path, json={"type": "Deployment.success"})
    assert answer.status_code == 404
    assert RAILWAY not in answer.text
    assert DEPLOY not in answer.text
    assert taking.taken == []


@pytest.mark.parametrize("secret", [None, ""])
async def test_without_a_secret_nothing_is_taken(store: Store, secret: str | None) -> None:
    view = hooked(store, Taking(), railway_secret=secret, deploy_secret=secret)
    async with client_of(view) as client:
        for kind in ("railway", "deploy"):
            for given in ("", "None", "null", "x"):
                assert (await client.post(f"/hooks/{kind}/{given}", json={})).status_code == 404


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b'{"type": 1}', b'{"nonsense": 1}'])
async def test_what_is_cut_off_is_refused(store: Store, body: bytes) -> None:
    taking = Taking()
    async with client_of(hooked(store, taking)) as client:
        for path in (f"/hooks/railway/{RAILWAY}", f"/hooks/deploy/{DEPLOY}"):
            answer = await client.post(path, content=body)
            assert answer.status_code == 422, answer.text
            assert answer.json()["error"]["next"]
    assert taking.taken == []


async def test_a_body_without_end_is_refused(store: Store) -> None:
    async with client_of(hooked(store, Taking())) as client:
        answer = await client.post(f"/hooks/railway/{RAILWAY}", content=b"x" * 2_000_000)
    assert answer.status_code == 413


async def test_a_hook_opens_nothing_else(store: Store) -> None:
    async with client_of(hooked(store, Taking(), api_token=SECRET)) as client:
        for path in ("/api/databases", f"/hooks/../api/databases/{DEPLOY}"):
            assert (await client.get(path)).status_code in (401, 404)

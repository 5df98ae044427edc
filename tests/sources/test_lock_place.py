"""Locks at an address, asked of a real peer."""

import json

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from monitor.core.errors import BuildError, UsageError
from monitor.core.source import Scheme, parse_source
from monitor.sources.build import BuildOptions
from monitor.sources.lock_place import LockPlace

TOKEN = "pl4nted-t0ken"  # noqa: S105  # a planted one


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


def at(httpserver: HTTPServer, path: str = "/lock.json", **options: str) -> LockPlace:
    source = parse_source(f"lock:{httpserver.url_for(path)}")
    return LockPlace(source, BuildOptions(**options))  # type: ignore[arg-type]  # texts of it


async def test_a_lock_is_fetched_once_and_asked_for_by_its_etag(httpserver: HTTPServer) -> None:
    seen: list[Request] = []
    content = {"body": "one", "etag": '"1"'}

    def answer(request: Request) -> Response:
        seen.append(request)
        if request.headers.get("If-None-Match") == content["etag"]:
            return Response(status=304)
        return Response(content["body"], headers={"ETag": content["etag"]})

    httpserver.expect_request("/lock.json").respond_with_handler(answer)
    place = at(httpserver, token=TOKEN)
    assert (await place.read()).body == b"one"
    assert (await place.read()).body == b"one"
    content |= {"body": "two", "etag": '"2"'}
    assert (await place.read()).body == b"two"
    assert [one.headers.get("If-None-Match") for one in seen] == [None, '"1"', '"1"']
    assert {one.headers["Authorization"] for one in seen} == {f"Bearer {TOKEN}"}


async def test_the_deployed_commit_is_filled_in(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/app/abc1234/lock.json").respond_with_data("it")
    place = at(httpserver, "/app/{commit}/lock.json", commit="abc1234")
    document = await place.read()
    assert (document.body, document.commit) == (b"it", "abc1234")
    with pytest.raises(BuildError, match="which commit is deployed, and nobody says"):
        await at(httpserver, "/app/{commit}/lock.json").read()


@pytest.mark.parametrize(
    ("status", "step"),
    [(401, "lock_token"), (403, "lock_token"), (404, "commit"), (302, "leads to"), (500, "Check")],
)
async def test_what_is_no_lock_is_said_without_the_address(
    httpserver: HTTPServer, status: int, step: str
) -> None:
    httpserver.expect_request("/s3cret/lock.json").respond_with_data("no", status=status)
    with pytest.raises(BuildError) as caught:
        await at(httpserver, "/s3cret/lock.json?key=hunter2", token=TOKEN).read()
    assert f"answered {status}." in caught.value.message
    assert step in caught.value.next_step
    assert not any(word in str(caught.value) for word in ("s3cret", "hunter2", TOKEN))


async def test_nobody_there_is_said(httpserver: HTTPServer) -> None:
    place = LockPlace(parse_source("lock:http://127.0.0.1:1/lock.json"), BuildOptions())
    with pytest.raises(BuildError, match=r"lock:http://127\.0\.0\.1:1/\.\.\. cannot be fetched"):
        await place.read()
    del httpserver


@pytest.mark.parametrize(
    ("text", "label", "revision"),
    [
        ("lock:https://h/a/lock.json?t=s", "lock:https://h/...", "heads"),
        ("lock:https://h:8/a@b/{commit}/lock.json@ab12", "lock:https://h:8/...", "ab12"),
        ("lock:https://[::1]/lock.json", "lock:https://[::1]/...", "heads"),
        ("lock:http://localhost:80/lock.json", "lock:http://localhost:80/...", "heads"),
    ],
)
def test_an_address_is_a_source_of_which_the_host_is_shown(
    text: str, label: str, revision: str
) -> None:
    source = parse_source(text)
    assert (source.scheme, str(source), source.revision) == (Scheme.LOCK, label, revision)
    assert json.dumps(repr(source)).count("lock.json") == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lock:http://h/lock.json", "anybody on the way"),
        ("lock:https://u:hunter2@h/lock.json", "cannot be read"),
        ("lock:https:///lock.json", "cannot be read"),
        ("lock:https://h:x/lock.json", "cannot be read"),
    ],
)
def test_an_address_that_cannot_be_trusted_is_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        parse_source(text)
    assert "hunter2" not in str(caught.value)

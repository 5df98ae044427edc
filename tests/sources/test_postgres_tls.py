"""Which TLS each sslmode asks for and gets, from a server set up as Railway's image does it."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.core.errors import Unreachable
from monitor.sources.account import server_account
from monitor.sources.dsn import Dsn, Endpoint, SslMode, parse_dsn
from monitor.sources.engine import Binaries, Cluster, running_cluster
from monitor.sources.postgres import connect


def run_openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(("openssl", *arguments), cwd=folder, check=True, capture_output=True)


def write_certificates(folder: Path) -> None:
    """A root that signs itself, a leaf for DNS:localhost, a client's, and a stranger's root."""
    for name in ("root", "stranger"):
        run_openssl(
            *(folder, "req", "-new", "-x509", "-nodes", "-newkey", "rsa:2048", "-days", "820"),
            *("-subj", "/CN=root-ca", "-keyout", f"{name}.key", "-out", f"{name}.crt"),
        )
    (folder / "names").write_text("subjectAltName=DNS:localhost\n")
    for name, subject in (("server", "/CN=localhost"), ("client", "/CN=watcher")):
        run_openssl(
            *(folder, "req", "-new", "-nodes", "-newkey", "rsa:2048", "-subj", subject),
            *("-keyout", f"{name}.key", "-out", f"{name}.csr"),
        )
        run_openssl(
            *(folder, "x509", "-req", "-in", f"{name}.csr", "-days", "820", "-extfile", "names"),
            *("-CA", "root.crt", "-CAkey", "root.key", "-CAcreateserial", "-out", f"{name}.crt"),
        )
    (folder / "garbage.crt").write_text("not a certificate")


@pytest.fixture(scope="module")
def certificates() -> Iterator[Path]:
    """A folder of certificates that the server's account may read."""
    with tempfile.TemporaryDirectory(prefix="anchorwatch-tls-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        write_certificates(folder)
        account = server_account()
        if account.uid is not None and account.gid is not None:
            os.chown(folder / "server.key", account.uid, account.gid)
        yield folder


@pytest.fixture(scope="module")
def secured(binaries: Binaries, certificates: Path) -> Iterator[Cluster]:
    settings = {
        "ssl": "on",
        "ssl_cert_file": str(certificates / "server.crt"),
        "ssl_key_file": str(certificates / "server.key"),
        "ssl_ca_file": str(certificates / "root.crt"),
    }
    with running_cluster(binaries, listen="loopback", settings=settings) as cluster:
        yield cluster


def read(cluster: Cluster, query: str, *, host: str = "localhost") -> Dsn:
    dsn = parse_dsn(cluster.url() + query)[0]
    return replace(dsn, endpoints=(Endpoint(host=host, port=cluster.port),))


async def ask_tls(dsn: Dsn) -> tuple[bool, str | None]:
    """Whether this very connection is encrypted, and whom its client certificate names."""
    async with connect(dsn) as session:
        rows = await session.fetch_values(
            "SELECT ssl, client_dn FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        )
    return rows[0][0], rows[0][1]


@pytest.mark.parametrize(
    ("query", "is_encrypted"),
    [
        ("", True),
        ("?sslmode=disable", False),
        ("?sslmode=allow", False),
        ("?sslmode=prefer", True),
        ("?sslmode=require", True),
        ("?sslmode=no-verify", True),
        ("?ssl=true", True),
        ("?sslmode=verify-ca&sslrootcert={}/root.crt", True),
        ("?sslmode=verify-full&sslrootcert={}/root.crt", True),
    ],
)
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_each_sslmode_gets_the_tls_it_names(
    secured: Cluster, certificates: Path, query: str, host: str, *, is_encrypted: bool
) -> None:
    dsn = read(secured, query.format(certificates), host=host)
    if dsn.sslmode is SslMode.VERIFY_FULL and host != "localhost":
        # What every other name than localhost meets on Railway.
        with pytest.raises(Unreachable, match="does not verify") as caught:
            await ask_tls(dsn)
        assert "sslmode=require" in caught.value.next_step
    else:
        assert await ask_tls(dsn) == (is_encrypted, None)


async def test_what_is_remote_is_encrypted_by_default(secured: Cluster) -> None:
    remote, _ = parse_dsn("postgresql://u@shuttle.proxy.rlwy.net/d")
    assert remote.sslmode is SslMode.REQUIRE
    dsn = replace(read(secured, ""), sslmode=remote.sslmode)
    assert await ask_tls(dsn) == (True, None)


@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
async def test_a_stranger_s_root_is_refused(
    secured: Cluster, certificates: Path, mode: str
) -> None:
    dsn = read(secured, f"?sslmode={mode}&sslrootcert={certificates}/stranger.crt")
    with pytest.raises(Unreachable, match="does not verify"):
        await ask_tls(dsn)


async def test_the_system_s_authorities_are_asked_when_named(
    secured: Cluster, certificates: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dsn = read(secured, "?sslrootcert=system")
    assert dsn.sslmode is SslMode.VERIFY_FULL
    with pytest.raises(Unreachable, match="does not verify"):
        await ask_tls(dsn)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates / "root.crt"))
    assert await ask_tls(dsn) == (True, None)


@pytest.mark.parametrize("root", ["sslrootcert={}/root.crt", "sslrootcert=system"])
async def test_a_client_certificate_is_shown_to_the_server(
    secured: Cluster, certificates: Path, monkeypatch: pytest.MonkeyPatch, root: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates / "root.crt"))
    files = f"sslcert={certificates}/client.crt&sslkey={certificates}/client.key"
    dsn = read(secured, f"?sslmode=verify-full&{files}&{root.format(certificates)}")
    assert await ask_tls(dsn) == (True, "/CN=watcher")


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("sslmode=verify-ca&sslrootcert={}/missing.crt", "certificate file"),
        ("sslmode=verify-ca&sslrootcert={}/garbage.crt", "TLS with"),
        ("sslmode=require&sslcert={}/missing.crt", "certificate file"),
        ("sslmode=verify-full", "certificate file"),
    ],
)
async def test_a_certificate_file_that_cannot_be_used_is_told(
    secured: Cluster,
    certificates: Path,
    monkeypatch: pytest.MonkeyPatch,
    query: str,
    sentence: str,
) -> None:
    monkeypatch.setenv("HOME", str(certificates))  # without ~/.postgresql/root.crt
    with pytest.raises(Unreachable, match=sentence):
        await ask_tls(read(secured, f"?{query.format(certificates)}"))


async def test_a_server_without_tls_is_told_how_to_go_on(server: Cluster) -> None:
    by_default = replace(read(server, "", host="127.0.0.1"), sslmode=SslMode.REQUIRE)
    with pytest.raises(Unreachable, match="offers no TLS") as caught:
        await ask_tls(by_default)
    assert caught.value.next_step.endswith("add ?sslmode=disable or ?sslmode=prefer to it.")
    with pytest.raises(Unreachable, match="offers no TLS") as caught:
        await ask_tls(read(server, "?sslmode=require", host="127.0.0.1"))
    assert "sslmode=require" in caught.value.next_step
    for mode in ("prefer", "allow", "disable"):
        assert await ask_tls(read(server, f"?sslmode={mode}", host="127.0.0.1")) == (False, None)

# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""GitLab behind real TLS: an authority of one's own, a client's certificate, and a proxy that really connects."""

from __future__ import annotations

import contextlib
import pathlib
import socket
import ssl
import subprocess
import threading
import typing as t
import urllib.parse

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_api import GitLab
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_endpoint import Endpoint
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_errors import GitLabError
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_runners import Runners
from testbed.gitlab_api import TwinServer

EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
ROOT = ("-x509", "-days", "2", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
LEAF = "subjectAltName=IP:127.0.0.1\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n"


@pytest.fixture(scope="module")
def certs(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A folder with an authority (ca), a stranger (other), and certificates of the first for a server and a client."""
    folder = tmp_path_factory.mktemp("certs")
    (folder / "leaf.ext").write_text(LEAF)

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    for name in ("ca", "other"):
        openssl("req", *ROOT, *EC, "-keyout", f"{name}.key", "-out", f"{name}.pem", "-subj", f"/CN={name}")
    for name in ("server", "client"):
        openssl("req", *EC, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        signing = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "leaf.ext")
        openssl("x509", "-req", "-in", f"{name}.csr", "-days", "2", *signing, "-out", f"{name}.pem")
    return folder


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _joined(one: socket.socket, other: socket.socket) -> None:
    for ends in ((one, other), (other, one)):
        threading.Thread(target=_pump, args=ends, daemon=True).start()


class Gate:
    """Listens on loopback and lets every connection through to where `to` says, once `greet` has let it in."""

    def __init__(self, greet: t.Callable[[socket.socket], tuple[socket.socket, tuple[str, int]]]) -> None:
        self._greet = greet
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _peer = self._listener.accept()
                threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            inside, target = self._greet(connection)
            _joined(inside, socket.create_connection(target))

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def gates() -> t.Iterator[t.Callable[..., Gate]]:
    opened: list[Gate] = []

    def gate(greet: t.Callable[..., t.Any]) -> Gate:
        opened.append(Gate(greet))
        return opened[-1]

    yield gate
    for one in opened:
        one.close()


def _tls(certs: pathlib.Path, twin: TwinServer, *, client: bool = False) -> t.Callable[..., t.Any]:
    """Ends TLS in front of the twin, as GitLab's nginx does; client: only for who has a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certs / "server.pem", certs / "server.key")
    if client:
        context.load_verify_locations(certs / "ca.pem")
        context.verify_mode = ssl.CERT_REQUIRED
    target = ("127.0.0.1", t.cast(int, urllib.parse.urlsplit(twin.url).port))

    def greet(connection: socket.socket) -> tuple[socket.socket, tuple[str, int]]:
        inside = context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        try:
            inside.do_handshake()
        except ssl.SSLError:
            _read_out(inside)
            raise
        return inside, target

    return greet


def _read_out(refused: socket.socket) -> None:
    """Take what the other side has sent: closed over unread bytes, the reset would overtake the alert."""
    refused.shutdown(socket.SHUT_WR)
    with contextlib.suppress(OSError):
        while socket.socket.recv(refused, 65536):
            pass


def _runner(url: str, twin: TwinServer, **options: t.Any) -> t.Any:
    gitlab = GitLab(Endpoint(url, twin.admin_token, **options), lambda _seconds: None)
    try:
        made = Runners(gitlab).create("a", {"runner_type": "instance_type", "description": "a"})
        return Runners(gitlab).get(made["id"])
    finally:
        gitlab.close()


def test_an_authority_of_ones_own(gates: t.Callable[..., Gate], certs: pathlib.Path, twin: TwinServer) -> None:
    gate = gates(_tls(certs, twin))
    url = f"https://127.0.0.1:{gate.port}"
    assert _runner(url, twin, ca_path=str(certs / "ca.pem"))["description"] == "a"
    assert _runner(url, twin, validate_certs=False)["description"] == "a"
    for ca_path in (None, str(certs / "other.pem")):
        with pytest.raises(GitLabError, match=r"SSLCertVerificationError.*Set ca_path to the certificate authority"):
            _runner(url, twin, ca_path=ca_path)
    with pytest.raises(GitLabError, match=r"not valid for 'localhost'.*api_url"):
        _runner(f"https://localhost:{gate.port}", twin, ca_path=str(certs / "ca.pem"))
    assert len(twin.client.runners()) == 2


def test_a_clients_certificate(gates: t.Callable[..., Gate], certs: pathlib.Path, twin: TwinServer) -> None:
    gate = gates(_tls(certs, twin, client=True))
    url, ca_path = f"https://127.0.0.1:{gate.port}", str(certs / "ca.pem")
    pair = {"client_cert": str(certs / "client.pem"), "client_key": str(certs / "client.key")}
    assert _runner(url, twin, ca_path=ca_path, **pair)["description"] == "a"
    with pytest.raises(GitLabError, match=r"Set client_cert and client_key"):
        _runner(url, twin, ca_path=ca_path)
    with pytest.raises(GitLabError, match=r"client_key .*readable PEM files"):
        _runner(url, twin, ca_path=ca_path, client_cert=pair["client_cert"], client_key=str(certs / "other.key"))


def test_tls_through_a_proxy_that_sees_nothing(
    gates: t.Callable[..., Gate], certs: pathlib.Path, twin: TwinServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = gates(_tls(certs, twin))
    said: list[str] = []

    def connect(connection: socket.socket) -> tuple[socket.socket, tuple[str, int]]:
        text = b""
        while b"\r\n\r\n" not in text:
            text += connection.recv(4096)
        said.append(text.decode())
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        return connection, ("127.0.0.1", inner.port)

    proxy = gates(connect)
    monkeypatch.setenv("https_proxy", f"http://someone:Proxy%20Word@127.0.0.1:{proxy.port}")
    url = f"https://127.0.0.1:{inner.port}"
    assert _runner(url, twin, ca_path=str(certs / "ca.pem"))["description"] == "a"
    assert {text.split(" HTTP/")[0] for text in said} == {f"CONNECT 127.0.0.1:{inner.port}"}
    assert all("Proxy-Authorization: Basic c29tZW9uZTpQcm94eSBXb3Jk" in text for text in said)
    assert twin.admin_token not in "".join(said)

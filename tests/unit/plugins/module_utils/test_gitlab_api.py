# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP seam to GitLab: what is tried again, what never is, and what its errors say."""

from __future__ import annotations

import http.client
import http.server
import pathlib
import socket
import socketserver
import threading
import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _gitlab_api as api
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_endpoint import Endpoint
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_errors import GitLabError, error_detail
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_runners import Runners
from testbed.gitlab_api import TwinServer

TOKEN = "glpat-NeverShownAnywhere1"
INSTANCE = {"runner_type": "instance_type", "description": "d"}


class Client(t.NamedTuple):
    """A client whose pauses are noted and not slept."""

    gitlab: api.GitLab
    runners: Runners
    pauses: list[float]


def client(url: str, token: t.Optional[str] = TOKEN, **options: t.Any) -> Client:
    pauses: list[float] = []
    gitlab = api.GitLab(Endpoint(url, token, **options), pauses.append)
    return Client(gitlab, Runners(gitlab), pauses)


@pytest.fixture
def admin(twin: TwinServer) -> t.Iterator[Client]:
    made = client(twin.url, twin.admin_token)
    yield made
    made.gitlab.close()


def arrived(twin: TwinServer, route: str) -> int:
    return sum(count for name, count in twin.client.requests()["by_route"].items() if name.startswith(route))


@pytest.mark.parametrize(
    ("url", "base"),
    [
        pytest.param("https://g.example", "https://g.example/api/v4", id="plain"),
        pytest.param("https://g.example/", "https://g.example/api/v4", id="slash"),
        pytest.param("https://g.example/api/v4", "https://g.example/api/v4", id="api"),
        pytest.param("https://g.example/api/v4/", "https://g.example/api/v4", id="api-slash"),
        pytest.param("https://g.example/gitlab", "https://g.example/gitlab/api/v4", id="relative-url"),
        pytest.param("http://g.example:8080", "http://g.example:8080/api/v4", id="port"),
    ],
)
def test_base_url(url: str, base: str) -> None:
    assert Endpoint(url).base == base


@pytest.mark.parametrize("url", ["g.example", "ftp://g.example", "https://", ""])
def test_no_url(url: str) -> None:
    with pytest.raises(GitLabError, match=r"is no http or https URL\. Give the base URL"):
        client(url)


@pytest.mark.parametrize(
    ("fault", "pause"),
    [
        pytest.param({"status": 429, "headers": {"Retry-After": "7"}, "body": "Retry later\n"}, [7.0], id="429"),
        pytest.param({"status": 429, "headers": {"Retry-After": "9999"}}, [60.0], id="429-bounded"),
        pytest.param({"status": 429}, None, id="429-without-header"),
        pytest.param({"status": 502, "body": "<html>Bad gateway</html>"}, None, id="502"),
        pytest.param({"status": 503}, None, id="503"),
        pytest.param({"status": 504}, None, id="504"),
        pytest.param({"reset": True}, None, id="reset"),
        pytest.param({"after": True}, None, id="answer-lost"),
    ],
)
def test_tried_again(twin: TwinServer, admin: Client, fault: dict[str, t.Any], pause: t.Optional[list[float]]) -> None:
    twin.client.set_faults([{"method": "GET", "path": "/runners/", "times": 1, **fault}])
    assert admin.runners.get(12345) is None
    assert arrived(twin, "GET /api/v4/runners/") == 2
    assert admin.pauses == pause if pause else 0 < admin.pauses[0] < 2


def test_gives_up_after_five_tries(twin: TwinServer, admin: Client) -> None:
    twin.client.set_faults([{"path": "/runners/", "status": 503, "body": "<html><h1>Down</h1></html>"}])
    with pytest.raises(GitLabError, match=r"^Could not read runner 5: HTTP 503, .*Down.* Look at GitLab's own log"):
        admin.runners.get(5)
    assert arrived(twin, "GET /api/v4/runners/") == api.MAX_TRIES
    assert admin.pauses == sorted(admin.pauses)
    assert len(admin.pauses) == api.MAX_TRIES - 1


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"after": True}, id="answer-lost"),
        pytest.param({"reset": True}, id="connection-reset"),
        pytest.param({"status": 502}, id="502"),
        pytest.param({"status": 503}, id="503"),
        pytest.param({"status": 504}, id="504"),
        pytest.param({"status": 500}, id="500"),
    ],
)
def test_a_create_is_never_sent_twice(twin: TwinServer, admin: Client, fault: dict[str, t.Any]) -> None:
    twin.client.set_faults([{"path": "/user/runners", **fault}])
    with pytest.raises(GitLabError, match=r"^Could not create runner 'ci': "):
        admin.runners.create("ci", INSTANCE)
    assert arrived(twin, "POST /api/v4/user/runners") == 1


def test_a_throttled_create_is_sent_again(twin: TwinServer, admin: Client) -> None:
    """It was refused before anything was done."""
    twin.client.set_faults([{"path": "/user/runners", "status": 429, "headers": {"Retry-After": "3"}, "times": 1}])
    assert admin.runners.create("ci", INSTANCE)["token"].startswith("glrt-")
    assert (admin.pauses, len(twin.client.runners())) == ([3.0], 1)


@pytest.mark.parametrize(
    ("scopes", "options", "words"),
    [
        pytest.param(["read_api"], {}, r"HTTP 403, insufficient_scope: .*scopes create_runner and manage_runner",
                     id="scope"),
        pytest.param(["api"], {"expires_at": "2020-01-01"}, r"HTTP 401, invalid_token: Token is expired.*current",
                     id="expired"),
        pytest.param(["api"], {"revoked": True}, r"HTTP 401, invalid_token: Token was revoked.*current access",
                     id="revoked"),
        pytest.param(["api"], {"user": "user"}, r"HTTP 403, 403 Forbidden.*Owner, project Maintainer", id="right"),
    ],
)  # fmt: skip
def test_refused(twin: TwinServer, scopes: list[str], options: dict[str, t.Any], words: str) -> None:
    token = twin.token(scopes, **options)
    refused = client(twin.url, token)
    with pytest.raises(GitLabError, match=f"^Could not create runner 'ci': {words}") as error:
        refused.runners.create("ci", INSTANCE)
    assert token not in str(error.value)
    assert refused.pauses == []


def test_unknown_token(twin: TwinServer) -> None:
    with pytest.raises(GitLabError, match=r"HTTP 401, 401 Unauthorized. Pass a current access token") as error:
        client(twin.url).runners.get(1)
    assert TOKEN not in str(error.value) + repr(error.value.__dict__) + repr(Endpoint("http://h", TOKEN))


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        pytest.param({"status": 301, "headers": {"Location": "https://new.example/api"}},
                     r"HTTP 301, redirected to https://new.example/api\. Set api_url to the final address",
                     id="redirect"),
        pytest.param({"status": 500, "body": "<!DOCTYPE html>\n<title>Oops</title>"},
                     "HTTP 500, <!DOCTYPE html> <title>Oops",
                     id="html-error"),
        pytest.param({"status": 200, "body": "<html>Sign in to the proxy</html>"},
                     "HTTP 200, an answer that is not GitLab's: .*Sign in.* is GitLab itself", id="login-page"),
        pytest.param({"status": 200, "body": "{", "headers": {"Content-Type": "application/json"}},
                     "an answer that is not GitLab's", id="cut-off-json"),
        pytest.param({"status": 400, "body": {"message": {"tags_list": ["can not be empty", "x"]}}},
                     "HTTP 400, tags_list can not be empty, x. Correct the value", id="validation"),
    ],
)  # fmt: skip
def test_odd_answers(twin: TwinServer, admin: Client, fault: dict[str, t.Any], words: str) -> None:
    twin.client.set_faults([{"path": "/runners/", **fault}])
    with pytest.raises(GitLabError, match=words):
        admin.runners.get(1)


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ('{"message":"401 Unauthorized"}', "401 Unauthorized"),
        ('{"message":["a","b"]}', "a, b"),
        ('{"message":{"f":["a"],"g":["b"]}}', "f a; g b"),
        ('{"error":"x is missing"}', "x is missing"),
        ("", "an empty answer"),
        ("{}", "an answer without a message"),
        ("Retry later\n", "Retry later"),
        ("[1]", "[1]"),
    ],
)
def test_error_detail(text: str, detail: str) -> None:
    assert error_detail(text) == detail


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def test_unreachable() -> None:
    lost = client(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(
        GitLabError, match=r"Could not read runner 1: ConnectionRefusedError: .*Check from this machine"
    ):
        lost.runners.get(1)
    assert len(lost.pauses) == api.MAX_TRIES - 1


def test_tls_faults(twin: TwinServer, tmp_path: pathlib.Path) -> None:
    """A server that speaks no TLS, and files that are none."""
    with pytest.raises(GitLabError, match=r"SSLError.*Set ca_path"):
        client(twin.url.replace("http:", "https:")).runners.get(1)
    with pytest.raises(GitLabError, match=r"Could not prepare TLS: FileNotFoundError.*ca_path .*none.pem"):
        client("https://g.example", ca_path=str(tmp_path / "none.pem"))


def test_connections_are_reused_and_bounded(twin: TwinServer, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[int] = []
    made = client(twin.url, twin.admin_token)
    connect = made.gitlab._connect

    def counted() -> http.client.HTTPConnection:
        opened.append(1)
        return connect()

    monkeypatch.setattr(made.gitlab, "_connect", counted)
    twin.client.set_latency(0.01)
    assert made.gitlab.each(made.runners.get, list(range(1, 31)), 5) == [None] * 30
    twin.client.set_latency(0)
    assert len(opened) == 5
    assert arrived(twin, "GET /api/v4/runners/") == 30


class Proxy(http.server.BaseHTTPRequestHandler):
    """Notes the first line of each request and its Host."""

    seen: t.ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.seen.append(self.requestline)
        self.send_response(404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_CONNECT(self) -> None:
        self.seen.append(self.requestline)
        self.send_error(403)

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[list[str]]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Proxy) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}"
        monkeypatch.setenv("http_proxy", address)
        monkeypatch.setenv("https_proxy", address)
        Proxy.seen.clear()
        yield Proxy.seen
        server.shutdown()


def test_http_through_a_proxy(proxy: list[str]) -> None:
    assert client("http://gitlab.example:8080").runners.get(1) is None
    assert proxy == ["GET http://gitlab.example:8080/api/v4/runners/1 HTTP/1.1"]


def test_https_through_a_proxy(proxy: list[str]) -> None:
    with pytest.raises(GitLabError, match="Could not read runner 1: OSError: Tunnel connection failed: 403"):
        client("https://gitlab.example").runners.get(1)
    assert {line.rsplit(" ", 1)[0] for line in proxy} == {"CONNECT gitlab.example:443"}


def test_no_proxy(proxy: list[str], twin: TwinServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert client(twin.url, twin.admin_token).runners.get(1) is None
    assert proxy == []

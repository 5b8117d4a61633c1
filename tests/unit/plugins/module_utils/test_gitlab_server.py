# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a GitLab server says of itself, asked of a web service and of programs that answer as the facts say."""

from __future__ import annotations

import http.server
import pathlib
import threading
import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import (
    _gitlab_fingerprint,
    _gitlab_readiness,
    _gitlab_server,
    _gitlab_services,
    _host_command,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_readiness import Address
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._host_command import Completed
from testbed import postgresql
from unit.plugins.module_utils import migration_tables
from unit.plugins.module_utils.psql import Psql

READY = '{"status":"ok","master_check":[{"status":"ok"}],"db_check":[{"status":"ok"}]}'
SHARDS = '{"status":"ok","gitaly_check":[{"status":"failed","labels":{"shard":"a"}},{"status":"ok"}]}'
FAILED = '{"status":"failed","db_check":[{"status":"failed","message":"no"}],"redis_check":[{"status":"ok"}]}'


YML = """\
# generated
production: &base
  gitlab:
    host: gitlab.corp.test
    port: 8443 # as people type it
    https: true
    relative_url_root: /git/
  other:
    host: other.test
"""


@pytest.mark.parametrize(
    ("text", "expected", "header"),
    [
        (YML, Address("gitlab.corp.test", 8443, True, "/git"), "gitlab.corp.test:8443"),
        (
            '{"production": {"gitlab": {"host": "a.test", "port": 443, "https": true}}}',
            Address("a.test", 443, True),
            "a.test",
        ),
        ("production:\n  gitlab:\n    host: 'a.test'\n", Address("a.test", 80, False), "a.test"),
    ],
)
def test_where_readiness_is_asked(tmp_path: pathlib.Path, text: str, expected: Address, header: str) -> None:
    path = tmp_path / "gitlab.yml"
    path.write_text(text)
    assert _gitlab_readiness.address(str(path)) == expected
    assert expected.header == header


Answers = t.Callable[..., Address]


@pytest.fixture
def answers() -> t.Iterator[Answers]:
    """Start a web service with these answers, one a request, the last one for ever."""
    running: list[http.server.HTTPServer] = []

    def start(*wanted: tuple[int, str], host: str = "gitlab.corp.test") -> Address:
        left = list(wanted)

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                named = self.headers["Host"].partition(":")[0] == host and self.path == "/-/readiness?all=1"
                status, body = (left.pop(0) if len(left) > 1 else left[0]) if named else (404, "other name")
                self.send_response(status)
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *unused: object) -> None:
                pass

        server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        running.append(server)
        return Address("gitlab.corp.test", server.server_address[1], https=False)

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((200, READY), ""),
        ((200, SHARDS), ""),
        ((200, FAILED), "HTTP 200, not ok: db_check"),
        ((503, FAILED), "HTTP 503, not ok: db_check"),
        ((503, "busy"), "HTTP 503"),
        ((502, "<html>"), "HTTP 502 (puma is starting)"),
        ((404, "<html>"), "HTTP 404"),
        ((500, ""), "HTTP 500"),
    ],
)
def test_readiness(answers: Answers, answer: tuple[int, str], words: str) -> None:
    assert _gitlab_readiness.ask(answers(answer)) == words


def test_puma_is_asked_where_nobody_else_listens(answers: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_gitlab_readiness, "PUMA_PORT", answers((200, READY)).port)
    assert _gitlab_readiness.ask(Address("gitlab.corp.test", 9, https=True)) == ""
    monkeypatch.setattr(_gitlab_readiness, "PUMA_PORT", 9)
    assert _gitlab_readiness.ask(Address("gitlab.corp.test", 9, https=False)) == "nobody listens at 127.0.0.1:9"


def test_the_other_name_is_not_asked(answers: Answers) -> None:
    """18.5.0 and 18.5.1 answer 404 to probes by another name than the server's own."""
    assert _gitlab_readiness.ask(answers((200, READY), host="localhost")) == "HTTP 404"


def test_readiness_is_waited_for(answers: Answers, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_gitlab_readiness, "PAUSE_SECONDS", 0.01)
    path = tmp_path / "gitlab.yml"

    def wait(*wanted: tuple[int, str], seconds: float) -> str:
        where = answers(*wanted)
        path.write_text(f"production:\n  gitlab:\n    host: {where.host}\n    port: {where.port}\n")
        return _gitlab_readiness.wait(seconds, str(path))

    assert wait((502, ""), (502, ""), (503, FAILED), (200, READY), seconds=30) == ""
    assert wait((502, ""), seconds=0.05) == "HTTP 502 (puma is starting)"
    assert "no reconfigure has written" in _gitlab_readiness.wait(0, str(tmp_path / "none"))


STATUS = """\
run: gitaly: (pid 468) 38s; run: log: (pid 227) 43s
down: puma: 1s, normally up; run: log: (pid 3341) 57s
down: sidekiq: 0s, normally up, want up; run: log: (pid 3335) 139s
run: redis: (pid 5046) 6s, want down, got TERM; run: log: (pid 3335) 132s
fail: nginx: runsv not running
warning: kas: unable to open supervise/ok: access denied
"""


def program(**answers: Completed) -> _host_command.Run:
    """A run that answers by the last part of a program's name."""

    def run(argv: t.Sequence[str], **unused: t.Any) -> Completed:
        name = argv[0].rpartition("/")[2].replace("-", "_")
        return answers.get(name, Completed(127, "", f"{argv[0]}: No such file or directory"))

    return run


def test_services() -> None:
    found = _gitlab_services.services(program(gitlab_ctl=Completed(7, STATUS)))
    assert [(one.name, one.state, one.detail) for one in found] == [
        ("gitaly", "run", "(pid 468) 38s"),
        ("puma", "down", "1s, normally up"),
        ("sidekiq", "down", "0s, normally up, want up"),
        ("redis", "run", "(pid 5046) 6s, want down, got TERM"),
        ("nginx", "fail", "runsv not running"),
        ("kas", "warning", "unable to open supervise/ok: access denied"),
    ]
    assert _gitlab_services.not_running(found)[0] == "puma: down, 1s, normally up"
    with pytest.raises(OSError, match="named no service"):
        _gitlab_services.services(program(gitlab_ctl=Completed(0, "")))


ENVIRONMENT = (
    "\nSystem information\nSystem:\t\t\nCurrent User:\tgit\nUsing RVM:\tno\nBundler Version:2.6.5\n"
    "Sidekiq Version:7.3.9\n\n"
    "\x1b[33mGitLab information\x1b[0m\nVersion:\t18.2.8\nURL:\t\thttp://gitlab.corp.test\nUsing Omniauth:\tyes\n"
    "Omniauth Providers: \n\nGitLab Shell\nVersion:\t14.45.3\nRepository storages:\n"
    "- default: \tunix:/var/opt/gitlab/gitaly/gitaly.socket\n- other: \ttcp://10.0.0.1:8075\n"
    "GitLab Shell path:\t\t/opt/gitlab/embedded/service/gitlab-shell\n\nGitaly\n"
    "- default Address: \tunix:/var/opt/gitlab/gitaly/gitaly.socket\n- default Version: \t18.2.8\n"
)


def test_environment() -> None:
    assert _gitlab_server.sections(ENVIRONMENT) == {
        "System information": {
            "System": "",
            "Current User": "git",
            "Using RVM": "no",
            "Bundler Version": "2.6.5",
            "Sidekiq Version": "7.3.9",
        },
        "GitLab information": {
            "Version": "18.2.8",
            "URL": "http://gitlab.corp.test",
            "Using Omniauth": "yes",
            "Omniauth Providers": "",
        },
        "GitLab Shell": {
            "Version": "14.45.3",
            "Repository storages": {
                "default": "unix:/var/opt/gitlab/gitaly/gitaly.socket",
                "other": "tcp://10.0.0.1:8075",
            },
            "GitLab Shell path": "/opt/gitlab/embedded/service/gitlab-shell",
        },
        "Gitaly": {"default Address": "unix:/var/opt/gitlab/gitaly/gitaly.socket", "default Version": "18.2.8"},
    }


def test_migrations(cluster: postgresql.Cluster, database: str, gitlab_psql: Psql) -> None:
    cluster.sql(migration_tables.TABLES, database)
    assert _gitlab_server.migrations(_gitlab_server.Source(gitlab_psql)) == {
        "schema_migrations": 2,
        "schema_version": "20250901120000",
        "batched": {"active": 1, "finished": 1, "failed": 1, "finalized": 2, "9": 1},
        "unfinished": [
            {"status": "failed", "job_class_name": "BackfillX", "table_name": "ci_builds", "column_name": "id"},
            {"status": "9", "job_class_name": "BackfillY", "table_name": "notes", "column_name": "id"},
            {"status": "active", "job_class_name": "BackfillZ", "table_name": "notes", "column_name": "id"},
        ],
    }


def test_the_installed_package() -> None:
    answer = "gitlab-ce 18.2.8 ce.0.el9\npackage gitlab-ee is not installed\n"
    found = _gitlab_server.version(_gitlab_server.Source(program(rpm=Completed(1, answer))))
    assert found == {"package": "gitlab-ce", "version": "18.2.8", "release": "ce.0.el9", "edition": "ce"}


def test_a_server_that_is_down_is_said_part_by_part(tmp_path: pathlib.Path) -> None:
    places = _gitlab_fingerprint.Places(str(tmp_path / "gitaly"), str(tmp_path / "secrets"))
    source = _gitlab_server.Source(program(), str(tmp_path / "gitlab.yml"), places)
    found = _gitlab_server.gathered(list(_gitlab_server.PARTS), source)
    assert {name for name, value in found.items() if value is None} == set(_gitlab_server.PARTS) - {"fingerprint"}
    assert {part: words.partition(":")[0] for part, words in found["unread"].items()} == {
        "version": "GitLab is not installed here",
        "services": "gitlab-ctl status named no service (exit status 127)",
        "readiness": "[Errno 2] No such file or directory",
        "migrations": "gitlab-psql ended with 127",
        "environment": "gitlab-rake gitlab",
    }
    assert set(found["fingerprint"]["unread"]) == {"database", "repositories", "secrets"}


def test_parts_are_chosen() -> None:
    source = _gitlab_server.Source(program(gitlab_ctl=Completed(0, STATUS)))
    assert list(_gitlab_server.gathered(["services"], source)) == ["services", "unread"]

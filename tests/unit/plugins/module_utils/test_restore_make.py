# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wherever a restore is ended, running it again finishes it, and what it says is how things stand."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import (
    _backup_plan,
    _backup_store,
    _gitlab_readiness,
    _restore_journal,
    _restore_make,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_request import Refused
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_result import Recorder
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_steps import Host
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._host_command import Completed
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._restore_request import Places, Request
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._restore_steps import RestoreFailed
from unit.plugins.module_utils.backup_host import Gitlab, Killed

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root restores GitLab")
SERVICES = ("gitaly", "postgresql", "puma", "redis", "sidekiq")


@dataclasses.dataclass
class Restoring:
    """A GitLab of a few files whose set is restored; fails are answers by command, die is the command it dies at."""

    gitlab: Gitlab
    down: set[str] = dataclasses.field(default_factory=set)
    done: list[str] = dataclasses.field(default_factory=list)
    fails: dict[str, Completed] = dataclasses.field(default_factory=dict)
    die: str = ""
    rows: str = "table|projects|3|3\ntable|users|7|9"

    def __post_init__(self) -> None:
        root = self.gitlab.folder
        for name in ("git", "pg", "state"):
            (root / name).mkdir(exist_ok=True)
        (root / "pg" / "PG_VERSION").touch()
        (root / "gitaly.toml").write_text(f'[[storage]]\nname = "default"\npath = "{root}/git"\n')
        (root / "etc" / "gitlab.rb").write_text("external_url 'x'")

    @property
    def places(self) -> Places:
        root = self.gitlab.folder
        return Places(
            etc=f"{root}/etc",
            wrapper="gitlab-backup",
            gitaly_config=f"{root}/gitaly.toml",
            pg_data=f"{root}/pg",
            mounts=f"{root}/mounts",
            upgrade_journal=f"{root}/open.json",
        )

    def request(self, **options: t.Any) -> Request:
        root = str(self.gitlab.folder)
        given = {"set": "latest", "pieces": ("application",), "safety_backup": False, "check_space": False, **options}
        return Request(
            backup_path=f"{root}/backups",
            sets_path=f"{root}/sets",
            backup_state_path=f"{root}/state",
            state_path=f"{root}/restore",
            **given,
        )

    def restore(self, *, check_mode: bool = False, **options: t.Any) -> dict[str, t.Any]:
        request = self.request(**options)
        recorder = Recorder(request.state_path, "test")
        host = Host(self.run, self.stream, recorder, self.gitlab.places)
        recorder.begin()
        return _restore_make.restore(request, host, self.places, check_mode=check_mode)

    def _answer(self, name: str) -> Completed | None:
        self.done.append(name)
        if name == self.die:
            raise Killed
        return self.fails.get(name)

    def run(self, argv: t.Sequence[str], **given: t.Any) -> Completed:
        words = [pathlib.Path(argv[0]).name, *argv[1:3]]
        if words[0] == "gitlab-psql":
            return Completed(0, "1" if "SELECT 1;" in given["input"] else self.rows)
        if words[0] != "gitlab-ctl" and words[0] != "gitlab-rake":
            return self.gitlab.run(argv)
        failed = self._answer(" ".join(words[1:])) if words[1] != "status" else None
        if failed:
            return failed
        if words[1] == "stop":
            self.down.add(words[2])
        elif words[1] == "start":
            self.down.discard(words[2])
        elif words[1] == "status":
            lines = [f"{'down' if one in self.down else 'run'}: {one}: 1s; run: log: 1s" for one in SERVICES]
            return Completed(0, "\n".join(lines))
        said = {"reconfigure": "gitlab Reconfigured!", "gitlab:doctor:secrets": "Total: 0 row(s) affected"}
        return Completed(0, said.get(words[1], ""))

    def stream(self, argv: t.Sequence[str], on_line: t.Callable[[str], None], **unused: t.Any) -> Completed:
        given = dict(word.split("=", 1) for word in argv if "=" in word)
        failed = self._answer("restore")
        assert self.down >= {"puma", "sidekiq"}, "nobody may write meanwhile"
        assert (self.gitlab.backups / f"{given['BACKUP']}_gitlab_backup.tar").exists()
        for words in ("database", "repositories", "uploads", "lfs objects"):
            on_line(f"2026-11-24 07:20:09 UTC -- Restoring {words} ... done")
        on_line("2026-11-24 07:20:09 UTC -- Restore task is done.")
        return failed or Completed(0, "")

    @property
    def journal(self) -> dict[str, t.Any]:
        return dict(json.loads((self.gitlab.folder / "restore" / "journal.json").read_text()))


@pytest.fixture
def restoring(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Restoring:
    gitlab = Gitlab(tmp_path)
    gitlab.make()
    monkeypatch.setattr(_gitlab_readiness, "wait", lambda seconds: "")
    return Restoring(gitlab)


def test_restored(restoring: Restoring) -> None:
    result = restoring.restore(replace="any")
    assert result["steps"] == ["stop", "load", "reconfigure", "prove", "start", "check"]
    assert restoring.done[:3] == ["stop puma", "stop sidekiq", "restore"]
    assert not restoring.down
    assert (restoring.journal["step"], restoring.journal["placed"]) == ("done", None)
    assert list(restoring.gitlab.backups.iterdir()) == []
    assert len(_backup_store.good(_backup_store.sets(str(restoring.gitlab.sets)))) == 1


def test_check_mode_changes_nothing(restoring: Restoring) -> None:
    before = sorted(str(path) for path in restoring.gitlab.folder.rglob("*"))
    assert restoring.restore(check_mode=True, replace="any")["changed"] is True
    after = sorted(str(path) for path in restoring.gitlab.folder.rglob("*") if "/restore" not in str(path))
    assert after == before
    assert restoring.done == []


def test_the_same_again_changes_nothing(restoring: Restoring) -> None:
    restoring.restore(replace="any")
    restoring.done.clear()
    result = restoring.restore(replace="any")
    assert (result["changed"], result["steps"], restoring.done) == (False, [], [])


@pytest.mark.parametrize(
    "command",
    [
        "stop puma",
        "stop sidekiq",
        "restore",
        "reconfigure",
        "gitlab:doctor:secrets",
        "start puma",
        "gitlab:check SANITIZE=true",
    ],
)
def test_killed_anywhere_and_run_again(restoring: Restoring, command: str) -> None:
    restoring.die = command
    with pytest.raises(Killed):
        restoring.restore(replace="any")
    assert restoring.journal["step"] != "done"
    with pytest.raises(Refused, match="No backup is made while a restore is unfinished"):
        _backup_plan._check_restore(
            dataclasses.replace(restoring.gitlab.request(), restore_state_path=f"{restoring.gitlab.folder}/restore")
        )
    restoring.die = ""
    restoring.restore()  # what was agreed to once need not be said again
    assert restoring.journal["step"] == "done"
    assert not restoring.down
    assert list(restoring.gitlab.backups.iterdir()) == []


@pytest.mark.parametrize(
    ("command", "answer", "words", "down"),
    [
        pytest.param("restore", Completed(1, ""), ["ended with 1", "'load'", "half restored"], True, id="restore"),
        pytest.param(
            "reconfigure",
            Completed(1, "boom"),
            ["reconfigure ended with 1", "The data is the set's"],
            True,
            id="reconfigure",
        ),
        pytest.param(
            "gitlab:doctor:secrets",
            Completed(0, "- User failures: 2\nTotal: 2 row(s) affected"),
            ["User: 2", "accept_findings"],
            True,
            id="secrets",
        ),
    ],
)
def test_a_failure_says_where_things_stand(
    restoring: Restoring, command: str, answer: Completed, words: list[str], down: bool
) -> None:
    restoring.fails[command] = answer
    with pytest.raises(RestoreFailed) as failed:
        restoring.restore(replace="any")
    for one in [*words, "To go on, run the restore of"]:
        assert one in str(failed.value)
    assert ("puma" in restoring.down) is down
    del restoring.fails[command]
    restoring.restore()
    assert restoring.journal["step"] == "done"


def test_a_service_that_does_not_stop_leaves_everything_as_it_was(restoring: Restoring) -> None:
    restoring.fails["stop sidekiq"] = Completed(1, "timeout: run: sidekiq: (pid 5046) 6s, want down, got TERM")
    with pytest.raises(
        RestoreFailed, match=r"sidekiq does not stop.*Nothing was changed, and the services run as before"
    ):
        restoring.restore(replace="any")
    assert not restoring.down
    assert _restore_journal.read(f"{restoring.gitlab.folder}/restore") is None


def test_a_damaged_archive_is_refused_before_anything_is_stopped(restoring: Restoring) -> None:
    archive = next(restoring.gitlab.sets.glob("*/*_gitlab_backup.tar"))
    content = bytearray(archive.read_bytes())
    content[-2000] ^= 1
    archive.write_bytes(bytes(content))
    with pytest.raises(Refused, match="is damaged, and nothing was changed"):
        restoring.restore(replace="any")
    assert restoring.done == []

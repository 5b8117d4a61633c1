# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an upgrade decides: the version, the transaction, the journal, the verdict; and the copy of config.toml."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import subprocess

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import (
    _upgrade_config,
    _upgrade_host,
    _upgrade_plan,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._upgrade_plan import (
    Finding,
    Journal,
    Packages,
    Step,
)

LISTING = """\
Installed Packages
gitlab-runner.x86_64                      18.9.9-1         @runner_gitlab-runner
Available Packages
gitlab-runner.x86_64                      17.5.5-1         runner_gitlab-runner
gitlab-runner.x86_64                      17.7.0-1         runner_gitlab-runner
gitlab-runner.x86_64                      17.7.1-1         runner_gitlab-runner
gitlab-runner.x86_64                      0:18.0.3-1       runner_gitlab-runner
gitlab-runner.x86_64                      18.0.10-1        runner_gitlab-runner
gitlab-runner.x86_64                      18.1.0-1         runner_gitlab-runner
gitlab-runner-helper-images.noarch        17.7.1-1         runner_gitlab-runner
gitlab-runner-helper-images.noarch        18.0.3-1         runner_gitlab-runner
gitlab-runner-helper-images.noarch        18.0.10-1        runner_gitlab-runner
"""
OFFERS = _upgrade_plan.offers(LISTING)
OLD, SPLIT = Packages("17.5.5-1"), Packages("18.0.3-1", "18.0.3-1")


@pytest.mark.parametrize(
    ("wanted", "server", "expected"),
    [
        pytest.param("18.0.3", None, SPLIT, id="exact"),
        pytest.param("18.0", None, Packages("18.0.10-1", "18.0.10-1"), id="newest-of-the-line-by-number"),
        pytest.param("17", None, Packages("17.7.1-1", "17.7.1-1"), id="newest-of-a-major-line"),
        pytest.param("17.7.0", None, Packages("17.7.0-1"), id="before-the-helper-split"),
        pytest.param("gitlab", "18.0.4-ee", Packages("18.0.10-1", "18.0.10-1"), id="the-servers-minor"),
    ],
)
def test_target(wanted: str, server: str | None, expected: Packages) -> None:
    assert _upgrade_plan.target(wanted, OFFERS, server) == expected


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        pytest.param("18.1.0", "without gitlab-runner-helper-images", id="helper-missing"),
        pytest.param("newest", "without gitlab-runner-helper-images", id="newest-lacks-its-helper"),
        pytest.param("18.2", "no gitlab-runner 18.2; it offers 17.5.5, 17.7.0", id="not-offered"),
        pytest.param("18.9.9", "no gitlab-runner 18.9.9", id="installed-is-not-offered"),
        pytest.param("latest", "'latest' is none", id="no-version"),
    ],
)
def test_refused(wanted: str, words: str) -> None:
    with pytest.raises(_upgrade_plan.UpgradeError, match=words):
        _upgrade_plan.target(wanted, OFFERS)


@pytest.mark.parametrize(
    ("now", "goal", "words"),
    [
        pytest.param(OLD, SPLIT, "install gitlab-runner-18.0.3-1 gitlab-runner-helper-images-18.0.3-1", id="over"),
        pytest.param(SPLIT, OLD, "swap gitlab-runner-helper-images gitlab-runner-17.5.5-1", id="back-over-it"),
        pytest.param(OLD, Packages("17.7.0-1"), "install gitlab-runner-17.7.0-1", id="both-before"),
        pytest.param(
            SPLIT, Packages("17.7.1-1", "17.7.1-1"),
            "install gitlab-runner-17.7.1-1 gitlab-runner-helper-images-17.7.1-1", id="down",
        ),
    ],
)  # fmt: skip
def test_transaction(now: Packages, goal: Packages, words: str) -> None:
    assert " ".join(_upgrade_plan.transaction(now, goal)) == words


JOURNAL = Journal(OLD, SPLIT, "/b/20261124T093000Z", True, "enabled", Step.VERIFY, refused=("x",))


def test_journal_there_and_back() -> None:
    nested = dataclasses.replace(JOURNAL, previous=JOURNAL.at(Step.DONE).plain())
    assert _upgrade_plan.loaded(nested.dumped(), "x") == nested
    assert _upgrade_plan.loaded(None, "x") is None
    with pytest.raises(_upgrade_plan.UpgradeError, match="can't be read as the journal"):
        _upgrade_plan.loaded('{"was": 1}', "x")


@pytest.mark.parametrize(
    ("journal", "expected"),
    [
        pytest.param(JOURNAL, (SPLIT, Step.DONE, False), id="an-upgrade"),
        pytest.param(dataclasses.replace(JOURNAL, back=True), (SPLIT, Step.DONE, True), id="undone-first-upgrade"),
        pytest.param(
            dataclasses.replace(JOURNAL, back=True, previous=Journal(SPLIT, OLD, "/a", True, "", Step.DONE).plain()),
            (OLD, Step.DONE, False), id="undone-gives-way-to-the-one-before",
        ),
        pytest.param(
            dataclasses.replace(
                JOURNAL, back=True, reason=_upgrade_plan.ON_DEMAND,
                previous=Journal(SPLIT, OLD, "/a", True, "", Step.DONE).plain(),
            ),
            (SPLIT, Step.DONE, True), id="rolled-back",
        ),
    ],
)  # fmt: skip
def test_what_is_recorded_at_the_end(journal: Journal, expected: tuple[Packages, Step, bool]) -> None:
    ended = journal.ended()
    assert (ended.to, ended.step, ended.back) == expected


DONE = JOURNAL.at(Step.DONE)


@pytest.mark.parametrize(
    ("journal", "now", "words"),
    [
        pytest.param(None, SPLIT, "No upgrade by this collection", id="nothing-recorded"),
        pytest.param(DONE, Packages("18.1.0-1"), "something else changed the packages", id="changed-by-others"),
        pytest.param(DONE, SPLIT, "", id="as-recorded"),
        pytest.param(JOURNAL, Packages("18.1.0-1"), "", id="unfinished"),
        pytest.param(dataclasses.replace(DONE, back=True), OLD, "", id="back-already"),
    ],
)
def test_can_go_back(journal: Journal | None, now: Packages, words: str) -> None:
    if not words:
        assert _upgrade_plan.can_go_back(journal, now) == journal
        return
    with pytest.raises(_upgrade_plan.UpgradeError, match=words):
        _upgrade_plan.can_go_back(journal, now)


@pytest.mark.parametrize(
    ("found", "wrong"),
    [
        pytest.param(Finding(SPLIT, "18.0.3", "/usr/bin/gitlab-runner"), [], id="good"),
        pytest.param(Finding(SPLIT, "development version", "x"), [], id="a-program-without-a-version"),
        pytest.param(Finding(SPLIT, "18.0.3", "x", ("x",)), [], id="refused-before-too"),
        pytest.param(Finding(OLD, "18.0.3", "x"), ["gitlab-runner-17.5.5-1 is installed"], id="other-packages"),
        pytest.param(Finding(None, None, ""), ["no gitlab-runner is", "does not run"], id="nothing-there"),
        pytest.param(Finding(SPLIT, "17.5.5", "x"), ["says that it is 17.5.5"], id="other-program"),
        pytest.param(Finding(SPLIT, "18.0.3", "/usr/bin/gitlab-runner (deleted)"), ["still the old"], id="old-process"),
        pytest.param(Finding(SPLIT, "18.0.3", "x", ("x", "y")), ["refuses the tokens of y"], id="refused-now"),
    ],
)
def test_faults(found: Finding, wrong: list[str]) -> None:
    faults = _upgrade_plan.faults(JOURNAL, found)
    assert len(faults) == len(wrong)
    assert all(words in fault for words, fault in zip(wrong, faults))


@pytest.mark.parametrize("active", [True, False])
@pytest.mark.parametrize("lock", [True, False])
def test_scripts_are_shell(active: bool, lock: bool) -> None:
    journal = dataclasses.replace(JOURNAL, active=active)
    script = _upgrade_host.script("gitlab-runner", journal, OLD, lock=lock)
    others = [
        _upgrade_host.run_transaction("gitlab-runner", "true\n"), _upgrade_host.LIST,
        _upgrade_host.read_backup("gitlab-runner", ""),
        _upgrade_host.backup("gitlab-runner", "/etc/gitlab-runner/a 'b.toml", "20261124T093000Z", count=3),
    ]  # fmt: skip
    for text in (script, *others):
        subprocess.run(["sh", "-n"], input=text, text=True, check=True, timeout=10)
    assert ("systemctl start gitlab-runner" in script) is active
    assert ("gitlab-runner-0:18.0.3-1.*" in script) is lock
    assert "NO_DOCKER_PRUNE=1" in script


def test_how_a_transaction_went() -> None:
    done = _upgrade_host.done("status 1\nbegan 100.5\nended 103.0\nlog Error: no space\nlog left\n")
    assert (done.status, done.seconds, done.log) == (1, 2.5, "Error: no space\nleft")
    assert _upgrade_host.done("").status == 1


KEPT = """\
# ours
concurrent = 4
[[runners]]
  name = "a"
  id = 1
  token = "glrt-old"
  token_obtained_at = 2026-01-01T00:00:00Z
[[runners]]
  name = "gone"
  id = 2
  token = "glrt-gone"
"""
PRESENT = """\
concurrent = 9
user = "gitlab-runner"
[[runners]]
  name = "renamed"
  id = 1
  token = "glrt-new"
  token_obtained_at = 2026-02-02T00:00:00Z
[[runners]]
  name = "later"
  id = 3
  token = "glrt-later"
"""


def test_a_restored_copy_keeps_the_tokens_that_work() -> None:
    text = _upgrade_config.restored(KEPT, PRESENT, "x")
    assert text == KEPT.replace("glrt-old", "glrt-new").replace("2026-01-01", "2026-02-02")


def test_a_token_that_was_not_rotated_is_put_back() -> None:
    broken = KEPT.replace("glrt-old", "glrt-XXX")
    assert _upgrade_config.restored(KEPT, broken, "x") == KEPT


@pytest.mark.parametrize(
    ("present", "same"),
    [
        pytest.param(KEPT, True, id="itself"),
        pytest.param(KEPT.replace("# ours\n", 'user = "gitlab-runner"\n'), True, id="saved-by-the-runner"),
        pytest.param(KEPT + "  token_expires_at = 0001-01-01T00:00:00Z\n", True, id="dates-that-say-nothing"),
        pytest.param(KEPT.replace("glrt-old", "glrt-XXX"), False, id="a-token"),
        pytest.param(KEPT + "  [runners.cache]\n    MaxUploadedArchiveSize = 0\n", True, id="empty-tables"),
        pytest.param(KEPT.replace("concurrent = 4", "concurrent = 5"), False, id="a-setting"),
        pytest.param(PRESENT, False, id="other-entries"),
        pytest.param("", False, id="empty"),
    ],
)
def test_same(present: str, same: bool) -> None:
    assert _upgrade_config.same(KEPT, present, "x") is same


def test_diff_shows_no_token() -> None:
    shown = json.dumps(_upgrade_config.diff(KEPT, PRESENT, "x"))
    assert "glrt-" not in shown
    assert "concurrent = 9" in shown


def _read(content: bytes | None, manifest: object) -> str:
    lines = ["backup 20261124T093000Z", "name 20261124T093000Z"]
    lines.append("manifest " + base64.b64encode(json.dumps(manifest).encode()).decode())
    if content is not None:
        lines.append("config " + base64.b64encode(content).decode())
    return "\n".join(lines) + "\n"


def _manifest(content: bytes) -> dict[str, object]:
    return {"files": {"config.toml": {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}}}


def test_a_backup_that_fits_its_manifest() -> None:
    backup = _upgrade_config.parse(_read(KEPT.encode(), _manifest(KEPT.encode())), "/b")
    assert (backup.text, backup.names) == (KEPT, ("20261124T093000Z",))
    assert _upgrade_config.parse(_read(None, {"files": {}}), "/b").text is None


@pytest.mark.parametrize(
    ("output", "words"),
    [
        pytest.param("", "There is no backup in /b; there are none", id="none"),
        pytest.param("backup x\nname y\n", "There is no backup y in /b; there are x", id="other-name"),
        pytest.param(_read(b"a", _manifest(b"b")), "does not fit its manifest", id="changed"),
        pytest.param(_read(None, _manifest(b"b")), "does not fit its manifest", id="file-lost"),
        pytest.param(_read(b"a", {}), "damaged", id="no-files"),
    ],
)
def test_a_backup_that_is_none(output: str, words: str) -> None:
    with pytest.raises(_upgrade_config.BackupError, match=words):
        _upgrade_config.parse(output, "/b")

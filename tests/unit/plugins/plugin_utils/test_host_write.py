# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small writes by a shell: whole or not at all, also when the controller dies while it sends."""

from __future__ import annotations

import pathlib
import subprocess

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _drain, _host_write, _upgrade_host

TEXT = '{"who": "Jürgen"}\n'


@pytest.mark.parametrize("sent", [TEXT, TEXT[:5], ""], ids=["whole", "cut-off", "nothing"])
@pytest.mark.parametrize("before", [None, "old"])
def test_whole_or_not_at_all(tmp_path: pathlib.Path, sent: str, before: str | None) -> None:
    path = tmp_path / "with space" / "journal.json"
    if before is not None:
        path.parent.mkdir()
        path.write_text(before)
    command = _host_write.command(str(path), TEXT)
    done = subprocess.run(["sh", "-c", command], input=sent, text=True, check=False)
    assert (done.returncode == 0) is (sent == TEXT)
    expected = TEXT if sent == TEXT else before
    assert (path.read_text() if path.exists() else None) == expected
    assert sorted(one.name for one in path.parent.iterdir()) == ([] if expected is None else ["journal.json"])
    if sent == TEXT:
        assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("cut", [False, True])
def test_a_transaction_that_is_cut_off_never_runs(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, cut: bool
) -> None:
    monkeypatch.setattr(_drain, "STATE", str(tmp_path))
    folder = tmp_path / "gitlab-runner"
    folder.mkdir()
    script = "#!/bin/sh\necho status 0 > transaction.result; : > transaction.log\ntrue\n"
    for name, text in (("systemd-run", 'shift 4; exec "$@"'), ("systemctl", "exit 3")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    command = f"PATH={tmp_path}:$PATH; {_upgrade_host.run_transaction('gitlab-runner', script)}"
    done = subprocess.run(
        ["sh", "-c", command], input=script[:-5] if cut else script, text=True, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == ((1, "") if cut else (0, "status 0")), done.stderr
    assert (folder / "transaction.sh").exists() is not cut

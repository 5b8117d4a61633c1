# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a restore leave a host on which the next backup can be made."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import (
    _backup_store,
    _restore_archive,
    _restore_steps,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._host_command import Completed
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._restore_journal import Journal, Step
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._restore_plan import Plan
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._restore_request import Places, Request
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._restore_steps import Work
from unit.plugins.module_utils.backup_host import Gitlab

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root restores GitLab")

GIT = 998
STAMP = "2026-11-24 07:20:09 UTC -- "
GOOD = [f"{STAMP}Restoring {words} ... done" for words in ("database", "repositories", "uploads", "lfs objects")]


def at_load(gitlab: Gitlab, set_id: str, said: t.Sequence[str], during: t.Callable[[], None]) -> Work:
    """A restore that comes to its step load; said is what GitLab's restore says."""

    def stream(argv: t.Sequence[str], on_line: t.Callable[[str], None], **unused: t.Any) -> Completed:
        during()
        for line in said:
            on_line(line)
        return Completed(0, "")

    kept = _backup_store.find(str(gitlab.sets), set_id)
    assert kept.manifest is not None
    journal = Journal(set_id, ("application",), "2026-11-24T08:00:00Z", Step.LOAD)
    plan = Plan(set_id, (Step.LOAD,), journal, (), False, None, "", "0" * 12, ())
    request = Request(
        set_id, ("application",), str(gitlab.backups), str(gitlab.sets), state_path=str(gitlab.folder / "restore")
    )
    host = dataclasses.replace(gitlab.host(), stream=stream)
    places = Places(wrapper="gitlab-backup", gitlab_yml=str(gitlab.folder / "gitlab.yml"))
    return Work(request, host, places, kept, kept.manifest, (), plan, journal)


@pytest.mark.parametrize("keep", [False, True], ids=["moved-out", "kept-in-backup-path"])
@pytest.mark.parametrize("owner", [0, GIT], ids=["fetched", "made-here"])
@pytest.mark.parametrize("said", [[*GOOD, f"{STAMP}Restore task is done."], []], ids=["restored", "failed"])
def test_gitlab_can_read_the_archive_during_a_restore_and_after_it(
    tmp_path: pathlib.Path, said: list[str], owner: int, keep: bool
) -> None:
    gitlab = Gitlab(tmp_path)
    made, _recovered = gitlab.make(keep_in_backup_path=keep)
    os.chown(gitlab.backups, GIT, GIT)
    owners: list[int] = []
    work = at_load(gitlab, made.id, said, lambda: owners.append(there.stat().st_uid))
    source, there = _restore_archive.source(work.kept), _restore_archive.target(work.request, work.kept)
    os.chown(source, owner, owner)
    if said:
        _restore_steps.load(work)
        assert there.exists() is keep
    else:
        with pytest.raises(_restore_steps.RestoreFailed, match="GitLab's restore failed"):
            _restore_steps.load(work)
    assert [*owners, source.stat().st_uid] == [GIT, GIT]


def test_gitlab_that_looks_elsewhere_for_the_archive_is_not_run(tmp_path: pathlib.Path) -> None:
    gitlab = Gitlab(tmp_path)
    made, _recovered = gitlab.make()
    (tmp_path / "gitlab.yml").write_text("production: &base\n  backup:\n    path: /srv/b\n")
    work = at_load(gitlab, made.id, [], lambda: pytest.fail("GitLab's restore was run"))
    with pytest.raises(_restore_steps.RestoreFailed, match=r"not asked to restore yet.*is /srv/b: give that"):
        _restore_steps.load(work)
    assert list(gitlab.backups.iterdir()) == []

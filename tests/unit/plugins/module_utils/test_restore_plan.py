# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a restore would do, and what is in its way: tables over manifest, host and request."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import (
    _restore_compare,
    _restore_journal,
    _restore_look,
    _restore_plan,
    _restore_refusals,
    _restore_request,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_lock import Busy
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_request import Refused
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_set import (
    Archive,
    Kind,
    Manifest,
    Part,
    Release,
    State,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_fingerprint import Fingerprint, Rows
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._restore_journal import Journal, Step
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._restore_look import Facts, Room
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._restore_request import Request

ID, OTHER = "1795504809_2026_11_24_18.11.4", "1795400000_2026_11_23_18.11.4"
SUM = "0" * 64
GIB = 1 << 30
NOW = "2026-11-24T08:00:00Z"
FRESH = Fingerprint({"users": Rows(1, 1), "projects": Rows(0, None)}, {}, {"gitlab_rails.db_key_base": "new"})
DATA = Fingerprint(
    {"users": Rows(7, 9), "projects": Rows(3, 3)},
    {"default/@hashed/a.git": "1" * 32},
    {"gitlab_rails.db_key_base": "k"},
)
LATER = dataclasses.replace(DATA, tables={"users": Rows(8, 10), "projects": Rows(3, 3)})


def manifest(**changed: t.Any) -> Manifest:
    parts = (
        Part("db", State.INCLUDED, 1, GIB),
        Part("repositories", State.INCLUDED, 9, 4 * GIB),
        Part("uploads", State.INCLUDED, 1, GIB),
        Part("registry", State.DISABLED),
    )
    application = Archive(Kind.APPLICATION, f"{ID}_gitlab_backup.tar", 6 * GIB, SUM, 12, parts)
    configuration = Archive(Kind.CONFIGURATION, "gitlab_config_1_2026_11_24.tar", 10240, SUM, 3)
    known: dict[str, t.Any] = {
        "id": ID,
        "release": Release("18.11.4", "gitlab-ce-18.11.4-ce.0.el9"),
        "archives": (application, configuration),
        "host": "git",
        "began": NOW,
        "ended": NOW,
        "tool": "0.1.0",
        "secrets_sha256": "a" * 64,
        "fingerprint_before": DATA.as_dict(),
        "fingerprint_after": DATA.as_dict(),
    }
    return Manifest(**{**known, **changed})


def rooms(free: int = 100 * GIB, **others: Room) -> dict[str, Room]:
    names = ("backup_path", "sets_path", "db", "repositories", "files")
    return {**{name: Room(f"/{name}", 1, free) for name in names}, **others}


def facts(**changed: t.Any) -> Facts:
    known: dict[str, t.Any] = {
        "version": "18.11.4",
        "package": "gitlab-ce-18.11.4-ce.0.el9",
        "configured": True,
        "services": {"postgresql": "run", "puma": "run"},
        "present": FRESH,
        "secrets_sha256": "a" * 64,
        "storages": {"default": "/var/opt/gitlab/git-data/repositories"},
        "has_cluster": True,
        "has_database": True,
        "rooms": rooms(),
    }
    return Facts(**{**known, **changed})


def journal(step: str, **changed: t.Any) -> Journal:
    return Journal(**{"set": ID, "pieces": _restore_request.PIECES, "began": NOW, "step": step, **changed})


def planned(request: Request, of: Manifest, host: Facts, changes: t.Sequence[str] = ()) -> _restore_plan.Plan:
    return _restore_plan.plan(request, of, host, changes, NOW)


@pytest.mark.parametrize(
    ("request_", "of", "host", "words"),
    [
        pytest.param(Request(ID), manifest(), facts(version=None), "install gitlab-ce-18.11.4-ce.0.el9", id="none"),
        pytest.param(
            Request(ID),
            manifest(),
            facts(version="18.8.7"),
            "18.8.7 is installed, and the set is of 18.11.4",
            id="version",
        ),
        pytest.param(
            Request(ID), manifest(), facts(version="18.11.4-ee"), "editions differ (ee here, ce there)", id="edition"
        ),
        pytest.param(
            Request(ID), manifest(), facts(package="gitlab-ce-18.11.4-ce.1.el9"), "made by gitlab-ce", id="build"
        ),
        pytest.param(
            Request(ID), manifest(), facts(upgrade_open=True), "An upgrade of this host is unfinished", id="upgrade"
        ),
        pytest.param(
            Request(ID, pieces=("application",)),
            manifest(),
            facts(configured=False),
            "never configured",
            id="no-reconfigure",
        ),
        pytest.param(
            Request(ID), manifest(), facts(backup_path_is="other"), "is no directory", id="backup-path-a-file"
        ),
        pytest.param(Request(ID), manifest(), facts(backup_path_is="nothing"), "is no directory", id="no-backup-path"),
        pytest.param(
            Request(ID), manifest(), facts(busy_mounts={"uploads": "/var/x"}), "/var/x is a mount point", id="mount"
        ),
        pytest.param(
            Request(ID),
            manifest(),
            facts(services={"postgresql": "down"}),
            "PostgreSQL does not run",
            id="database-down",
        ),
        pytest.param(
            Request(ID),
            manifest(),
            facts(services={}, services_error="Whether puma and sidekiq run can't be told: no output."),
            "Whether puma and sidekiq run can't be told",
            id="services-unknown",
        ),
        pytest.param(
            Request(ID),
            manifest(),
            facts(gitlab_user="git", backup_path_owner="root"),
            "belongs to root, and GitLab, which works as git, has to unpack",
            id="backup-path-of-root",
        ),
        pytest.param(
            Request(ID),
            manifest(),
            facts(gitlab_backup_path="/srv/backups"),
            "gitlab_rails['backup_path'] is /srv/backups: give that",
            id="another-backup-path",
        ),
        pytest.param(
            Request(ID),
            manifest(),
            facts(rooms=rooms(17 * GIB)),
            "/backup_path needs 18.0 GiB and has 17.0 GiB",
            id="space",
        ),
        pytest.param(
            Request(ID),
            manifest(),
            facts(rooms=rooms(repositories=Room("/data", 2, 3 * GIB))),
            "/data needs 4.0 GiB and has 3.0 GiB",
            id="space-for-repositories",
        ),
        pytest.param(
            Request(ID, pieces=("application",)),
            manifest(),
            facts(secrets_sha256="b" * 64),
            "gitlab-secrets.json of this host is not the set's",
            id="other-secrets",
        ),
        pytest.param(
            Request(ID, pieces=("application",)),
            manifest(),
            facts(storages={"fast": "/srv"}, present=dataclasses.replace(FRESH, secrets=DATA.secrets)),
            "the storage default, which gitlab.rb does not name",
            id="other-storages",
        ),
        pytest.param(Request(ID), manifest(), facts(present=LATER), "users: 8 rows", id="other-data"),
        pytest.param(
            Request(ID, replace="0" * 12), manifest(), facts(present=LATER), "not this host's data", id="another-mark"
        ),
        pytest.param(
            Request(ID),
            manifest(),
            facts(present=Fingerprint(unread={"database": "gone"})),
            "database can't be read: gone",
            id="unreadable-data",
        ),
        pytest.param(
            Request(ID),
            manifest(fingerprint_after=None),
            facts(present=DATA),
            "no fingerprint to compare",
            id="nothing-to-compare-with",
        ),
        pytest.param(
            Request(OTHER),
            manifest(id=OTHER),
            facts(present=LATER, journal=journal(Step.LOAD)),
            "other than the set",
            id="another-set-over-an-unfinished-restore",
        ),
    ],
)
def test_refused(request_: Request, of: Manifest, host: Facts, words: str) -> None:
    with pytest.raises(Refused, match="nothing was changed") as refused:
        planned(request_, of, host)
    assert words in str(refused.value)


def test_all_that_is_in_the_way_is_said_at_once() -> None:
    with pytest.raises(Refused) as refused:
        planned(Request(ID), manifest(), facts(version="18.8.7", upgrade_open=True, rooms=rooms(GIB)))
    for number in ("(1)", "(2)", "(3)"):
        assert number in str(refused.value)


def test_gitlabs_own_lock() -> None:
    with pytest.raises(Busy, match="PID 7"):
        planned(Request(ID), manifest(), facts(at_work="PID 7"))


ALL = (*_restore_journal.STEPS[:-1],)


def without(*names: str) -> tuple[str, ...]:
    return tuple(step for step in ALL if step not in names)


@pytest.mark.parametrize(
    ("request_", "host", "steps"),
    [
        pytest.param(Request(ID), facts(), without(Step.KEEP), id="a-new-host-has-nothing-to-keep"),
        pytest.param(Request(ID, replace="any"), facts(present=LATER), ALL, id="what-is-there-is-kept"),
        pytest.param(
            Request(ID, replace=_restore_look.mark(LATER)), facts(present=LATER), ALL, id="the-mark-of-this-very-data"
        ),
        pytest.param(
            Request(ID, replace="any", safety_backup=False), facts(present=LATER), without(Step.KEEP), id="waived"
        ),
        pytest.param(Request(ID), facts(present=DATA), ALL, id="equal-data-needs-no-consent"),
        pytest.param(
            Request(ID, pieces=("configuration",)),
            facts(present=LATER),
            without(Step.KEEP, Step.LOAD),
            id="configuration-alone",
        ),
        pytest.param(
            Request(ID, pieces=("application",)), facts(), without(Step.KEEP, Step.CONFIGURE), id="data-alone"
        ),
        pytest.param(
            Request(ID),
            facts(present=Fingerprint(), journal=journal(Step.LOAD)),
            without(Step.KEEP, Step.CONFIGURE),
            id="killed-while-loading",
        ),
        pytest.param(
            Request(ID),
            facts(present=DATA, journal=journal(Step.PROVE, kept=OTHER)),
            (Step.STOP, Step.PROVE, Step.START, Step.CHECK),
            id="killed-while-proving",
        ),
        pytest.param(
            Request(ID),
            facts(present=DATA, journal=journal(Step.START)),
            (Step.START, Step.CHECK),
            id="killed-at-start",
        ),
        pytest.param(
            Request(OTHER, replace="any"),
            facts(present=LATER, journal=journal(Step.LOAD)),
            without(Step.KEEP),
            id="another-set-over-a-half-restored-one",
        ),
        pytest.param(
            Request(ID),
            facts(present=DATA, journal=journal(Step.DONE, mark_after=_restore_look.mark(DATA))),
            (),
            id="the-same-set-again",
        ),
        pytest.param(
            Request(ID, again=True),
            facts(present=DATA, journal=journal(Step.DONE, mark_after=_restore_look.mark(DATA))),
            ALL,
            id="the-same-set-again-on-demand",
        ),
        pytest.param(Request(ID, pieces=("configuration",)), facts(present=LATER), (), id="configuration-is-there"),
    ],
)
def test_steps(request_: Request, host: Facts, steps: t.Sequence[str]) -> None:
    changes = ("gitlab.rb",) if Step.CONFIGURE in steps else ()
    of = manifest(
        id=request_.set,
        archives=tuple(
            dataclasses.replace(one, file=one.file.replace(ID, request_.set)) for one in manifest().archives
        ),
    )
    assert planned(request_, of, host, changes).steps == tuple(steps)


@pytest.mark.parametrize(
    ("unread", "skip", "reason"),
    [
        pytest.param({}, (), "", id="all-is-readable"),
        pytest.param({"repositories": "gone"}, ("repositories",), "without repositories: gone", id="repositories"),
        pytest.param({"database": "gone"}, None, "the database can't be read: gone", id="database"),
        pytest.param({"secrets": "gone"}, None, "gitlab-secrets.json can't be read: gone", id="secrets"),
    ],
)
def test_what_the_safety_set_can_hold(unread: dict[str, str], skip: tuple[str, ...] | None, reason: str) -> None:
    names = {"database": "tables", "repositories": "repositories", "secrets": "secrets"}
    present = dataclasses.replace(LATER, unread=unread, **{names[part]: None for part in unread})
    plan = planned(Request(ID, replace="any"), manifest(), facts(present=present), ("gitlab.rb",))
    assert (plan.keep_skip, plan.keep_reason) == (skip, reason)


@pytest.mark.parametrize(
    ("changed", "first"),
    [
        pytest.param({}, False, id="all-there"),
        pytest.param({"lost_storages": ("default",)}, True, id="repositories-lost"),
        pytest.param({"has_database": False}, True, id="database-lost"),
        pytest.param({"present": Fingerprint(unread={"database": "no tables"})}, False, id="tables-lost"),
        pytest.param({"configured": False}, True, id="host-lost"),
    ],
)
def test_what_is_lost_is_made_by_a_reconfigure_first(changed: dict[str, t.Any], first: bool) -> None:
    assert planned(Request(ID, replace="any"), manifest(), facts(**changed)).reconfigure_first is first


def test_what_the_host_lacks_is_no_loss() -> None:
    lost = dataclasses.replace(DATA, repositories={})
    plan = planned(Request(ID), manifest(), facts(present=lost), ("gitlab.rb",))
    assert plan.replaces == ()
    assert (plan.keep_skip, plan.keep_reason) == (("repositories",), "without repositories: there are none")


WORKED = Fingerprint({"users": Rows(900, 910), "projects": Rows(3, 3)}, {"default/@hashed/a.git": "3" * 32})


@pytest.mark.parametrize(
    ("present", "replaces"),
    [
        pytest.param(DATA, [], id="as-when-the-backup-began"),
        pytest.param(LATER, ["users"], id="what-came-during-the-backup-may-not-be-in-it"),
        pytest.param(WORKED, ["users", "default/@hashed/a.git"], id="what-came-later-is-not"),
        pytest.param(dataclasses.replace(WORKED, repositories={}), ["users"], id="what-is-not-here-is-no-loss"),
        pytest.param(dataclasses.replace(DATA, tables={"users": Rows(1, 9)}), ["users"], id="another-hosts-data"),
    ],
)
def test_work_in_what_moved_during_the_backup_is_not_replaced_unasked(
    present: Fingerprint, replaces: list[str]
) -> None:
    after = dataclasses.replace(LATER, repositories={"default/@hashed/a.git": "2" * 32})
    of, host = manifest(fingerprint_after=after.as_dict()), facts(present=present)
    found = _restore_refusals.replaced(Request(ID), of, host)
    assert [words.split(":")[0].split()[1] for words in found] == replaces
    if replaces:
        with pytest.raises(Refused, match=f"set replace to {host.mark}"):
            planned(Request(ID), of, host)
    assert planned(Request(ID, replace=host.mark), of, host).replaces == tuple(found)


def test_a_part_unread_when_the_backup_began_is_compared_with_what_was_read_after_it() -> None:
    before = Fingerprint(None, DATA.repositories, DATA.secrets, {"database": "down"})
    of = manifest(fingerprint_before=before.as_dict())
    assert _restore_refusals.replaced(Request(ID), of, facts(present=DATA)) == []
    assert len(_restore_refusals.replaced(Request(ID), of, facts(present=LATER))) == 1


BEGUN = Fingerprint(
    {"users": Rows(7, 9), "issues": Rows(1000, 1000), "todos": Rows(50, 300), "notes": Rows(0, None)},
    {"default/a.git": "1" * 32, "default/b.git": "5" * 32},
    {"gitlab_rails.db_key_base": "k"},
)
ENDED = Fingerprint(
    {"users": Rows(7, 9), "issues": Rows(1003, 1003), "todos": Rows(40, 306), "notes": Rows(2, 2)},
    {"default/a.git": "2" * 32, "default/b.git": "5" * 32, "default/new.git": "4" * 32},
    BEGUN.secrets,
)


def came_back(tables: dict[str, Rows] | None = None, repositories: dict[str, str] | None = None) -> Fingerprint:
    """What was there when the backup began, but for these; an empty digest stands for none."""
    digests = {**(BEGUN.repositories or {}), **(repositories or {})}
    return Fingerprint(
        {**(BEGUN.tables or {}), **(tables or {})}, {path: one for path, one in digests.items() if one}, BEGUN.secrets
    )


@pytest.mark.parametrize(
    ("found", "differ"),
    [
        pytest.param(BEGUN, [], id="as-when-it-began"),
        pytest.param(ENDED, [], id="as-when-it-ended"),
        pytest.param(
            came_back({"issues": Rows(1001, 1001), "todos": Rows(45, 303), "notes": Rows(1, 1)}), [], id="between"
        ),
        pytest.param(came_back({"issues": Rows(0, None)}), ["issues"], id="a-table-is-empty"),
        pytest.param(came_back({"issues": Rows(999, 1000)}), ["issues"], id="a-row-is-missing"),
        pytest.param(came_back({"issues": Rows(1001, 999)}), ["issues"], id="the-last-is-missing"),
        pytest.param(came_back({"issues": Rows(1004, 1003)}), ["issues"], id="a-row-too-many"),
        pytest.param(came_back({"todos": Rows(39, 306)}), ["todos"], id="fewer-than-were-left"),
        pytest.param(came_back({"notes": Rows(2, 3)}), ["notes"], id="an-id-that-came-later"),
        pytest.param(came_back({"users": Rows(7, 10)}), ["users"], id="what-did-not-move"),
        pytest.param(came_back(repositories={"default/a.git": "3" * 32}), [], id="refs-between"),
        pytest.param(came_back(repositories={"default/a.git": ""}), ["default/a.git"], id="a-repository-is-missing"),
        pytest.param(
            came_back(repositories={"default/a.git": "0" * 32}), ["default/a.git"], id="a-repository-is-empty"
        ),
        pytest.param(came_back(repositories={"default/a.git": "unreadable"}), ["default/a.git"], id="unreadable"),
        pytest.param(
            came_back(repositories={"default/b.git": "3" * 32}), ["default/b.git"], id="refs-that-did-not-move"
        ),
        pytest.param(came_back(repositories={"default/x.git": "3" * 32}), ["default/x.git"], id="one-that-never-was"),
        pytest.param(
            Fingerprint({}, {}, BEGUN.secrets),
            [*sorted(BEGUN.tables or {}), *(BEGUN.repositories or {})],
            id="nothing-came-back",
        ),
    ],
)
def test_what_moved_while_the_backup_was_made_is_as_it_was_at_some_moment_of_it(
    found: Fingerprint, differ: list[str]
) -> None:
    of = manifest(fingerprint_before=BEGUN.as_dict(), fingerprint_after=ENDED.as_dict())
    assert [one.name for one in _restore_compare.differences(Request(ID), of, found)] == differ


def test_a_backup_path_that_fits() -> None:
    fits = {"gitlab_user": "git", "backup_path_owner": "git", "gitlab_backup_path": Request(ID).backup_path + "/"}
    assert planned(Request(ID), manifest(), facts(**fits)).steps
    configured = planned(Request(ID), manifest(), facts(gitlab_backup_path="/srv/backups"), ("gitlab.rb",))
    assert configured.steps  # the set's gitlab.rb says where, once it is here
    other = facts(gitlab_user="git", backup_path_owner="root", gitlab_backup_path="/srv/backups")
    assert planned(Request(ID, pieces=("configuration",)), manifest(), other, ("gitlab.rb",)).steps


def test_what_gitlab_says_of_its_backups(tmp_path: t.Any) -> None:
    assert _restore_look.gitlab_user("gitlab_app='gitlab-rails'\ngitlab_user='git'\ngitlab_group='git'\n") == "git"
    assert _restore_look.gitlab_user("") is None
    assert _restore_look.gitlab_backup_path(str(tmp_path / "none")) is None
    written = tmp_path / "gitlab.yml"
    written.write_text('production: &base\n  backup:\n    path: "/srv/b"   # Relative to Rails.root\n')
    assert _restore_look.gitlab_backup_path(str(written)) == "/srv/b"
    assert _restore_look.owner(str(tmp_path)) == tmp_path.owner()
    assert _restore_look.owner(str(tmp_path / "none")) is None


def test_a_part_that_the_set_lacks_is_not_compared() -> None:
    parts = (Part("db", State.SKIPPED), Part("repositories", State.INCLUDED, 9, GIB))
    application = dataclasses.replace(manifest().application, parts=parts)
    of = manifest(archives=(application, manifest().configuration))
    assert _restore_compare.differences(Request(ID), of, dataclasses.replace(LATER, tables={})) == []
    assert "without db" in planned(Request(ID, replace="any"), of, facts(present=LATER)).warnings[0]


def test_space_on_file_systems_of_their_own() -> None:
    host = facts(
        rooms=rooms(sets_path=Room("/sets", 9, GIB), repositories=Room("/git", 2, GIB), files=Room("/git/x", 2, GIB))
    )
    found = {need.path: need.bytes // GIB for need in _restore_refusals.needs(manifest(), host)}
    assert found == {"/backup_path": 24, "/git": 5}


MOUNTS = """22 1 8:1 / / rw - ext4 /dev/a rw
30 22 8:2 / {uploads} rw - ext4 /dev/b rw
"""


def test_mount_points(tmp_path: t.Any) -> None:
    uploads = tmp_path / "gitlab-rails" / "uploads"
    (uploads / "lost+found").mkdir(parents=True)

    def busy(where: t.Any) -> dict[str, str]:
        return _restore_look.busy_mounts(MOUNTS.format(uploads=where), manifest(), str(tmp_path))

    assert busy(uploads) == {}
    (uploads / "a").touch()
    assert busy(uploads) == {"uploads": str(uploads)}
    assert busy(uploads / "-") == {"uploads": str(uploads / "-")}
    assert busy(tmp_path) == {}


@pytest.mark.parametrize(
    ("found", "empty"),
    [
        pytest.param(FRESH, True, id="fresh"),
        pytest.param(DATA, False, id="used"),
        pytest.param(
            dataclasses.replace(FRESH, repositories={"default/x.git": "1" * 32}), False, id="repositories-alone"
        ),
        pytest.param(
            dataclasses.replace(FRESH, repositories={"default/x.git": "0" * 32}), True, id="empty-repositories"
        ),
        pytest.param(dataclasses.replace(FRESH, tables={"users": Rows(40, 40)}), False, id="many-users"),
        pytest.param(Fingerprint(unread={"database": "x"}), False, id="unread-is-not-empty"),
    ],
)
def test_a_gitlab_that_nobody_has_used(found: Fingerprint, empty: bool) -> None:
    assert _restore_look.is_empty(found) is empty


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param({"set": ""}, "No set is named", id="no-set"),
        pytest.param({"set": f"{ID}_gitlab_backup.tar"}, "without _gitlab_backup.tar", id="suffix"),
        pytest.param({"set": "../x"}, "is not the id", id="a-path"),
        pytest.param({"set": ID, "pieces": []}, "name configuration or application", id="nothing"),
        pytest.param({"set": ID, "pieces": ["secrets"]}, "name configuration or application", id="unknown-piece"),
        pytest.param({"set": ID, "replace": "yes"}, "the mark of twelve digits", id="not-a-mark"),
        pytest.param({"set": ID, "ready_seconds": 0}, "ready_seconds is 0", id="no-time"),
        pytest.param({"set": ID, "sets_path": "/var/opt/gitlab/backups"}, "both", id="sets-in-backup-path"),
        pytest.param({"set": ID, "state_path": "state"}, "absolute path", id="relative-state"),
        pytest.param({"set": ID, "force": True}, "does not know: force", id="unknown-key"),
    ],
)
def test_requests_that_are_refused(data: dict[str, t.Any], words: str) -> None:
    with pytest.raises(Refused, match=words):
        Request.from_json(data)

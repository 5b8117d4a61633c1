# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in the way of a restore, in words that say what to do: pure functions. Python 3.9."""

from __future__ import annotations

import dataclasses
import os
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _restore_compare
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_set import Manifest, State
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_space import Need
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._restore_journal import Journal
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._restore_look import Facts
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._restore_request import ANY, Request

# GitLab unpacks the archive beside itself and then each part where it belongs (server facts 2.2).
UNPACKED_TIMES = 3
_SHOWN = 5


def problems(
    request: Request,
    manifest: Manifest,
    facts: Facts,
    unfinished: Journal | None,
    replaces: t.Sequence[str],
    changes: t.Sequence[str] = (),
) -> list[str]:
    """All that is in the way; unfinished is an earlier restore that is not done, replaces what would be lost.

    changes are files of /etc/gitlab that become others.
    """
    same = is_same(request, manifest, unfinished)
    return [
        *_installed(manifest, facts),
        *_in_the_way(request, facts, unfinished),
        *(_backup_path(request, facts, changes) if request.data else []),
        *_room(request, manifest, facts, placed=same),
        *_configuration(request, manifest, facts),
        *([] if same else _unconfirmed(request, facts, replaces)),
    ]


def is_same(request: Request, manifest: Manifest, unfinished: Journal | None) -> bool:
    """Whether the unfinished restore is the one that is asked for: it was agreed to before."""
    return unfinished is not None and (unfinished.set, unfinished.pieces) == (manifest.id, request.pieces)


def _installed(manifest: Manifest, facts: Facts) -> list[str]:
    wanted = manifest.release.package or f"GitLab {manifest.release.version}"
    if facts.version is None:
        return [f"GitLab is not installed: install {wanted} first; the role's entry point restore does."]
    if facts.version != manifest.release.version:
        editions = ("ee" if facts.version.endswith("-ee") else "ce", manifest.release.edition)
        other = "" if editions[0] == editions[1] else f", and editions differ ({editions[0]} here, {editions[1]} there)"
        return [
            f"GitLab {facts.version} is installed, and the set is of {manifest.release.version}{other}: GitLab "
            f"restores only the very same version. Install {wanted}, or choose a set of {facts.version}."
        ]
    if manifest.release.package and facts.package and manifest.release.package != facts.package:
        return _same_build(manifest.release.package, facts.package)
    return []


def _same_build(wanted: str, found: str) -> list[str]:
    """Packages of one version for another system (el8, el9, amazon2023) hold the same GitLab."""
    if wanted.rpartition(".")[0] == found.rpartition(".")[0]:
        return []
    return [f"The package {found} is installed, and the set was made by {wanted}. Install that."]


def _in_the_way(request: Request, facts: Facts, unfinished: Journal | None) -> list[str]:
    found = []
    if facts.upgrade_open and not request.in_upgrade:
        found.append(
            "An upgrade of this host is unfinished: finish it or roll it back first (playbook gitlab_rollback)."
        )
    if facts.version and not facts.configured and not request.configuration:
        found.append("GitLab was never configured here: run gitlab-ctl reconfigure, or restore the configuration too.")
    if facts.backup_path_is == "other" or (facts.backup_path_is == "nothing" and facts.configured):
        found.append(f"backup_path {request.backup_path} is no directory: give the one of gitlab_rails['backup_path'].")
    if facts.services_error:
        found.append(facts.services_error)
    if request.data:
        found += [
            f"{path} is a mount point in the way of the part {part}: GitLab moves a part's files away before it brings "
            "them back, which fails there (resource busy). Empty it, or unmount it for the restore."
            for part, path in sorted(facts.busy_mounts.items())
        ]
    down = facts.services.get("postgresql") in ("down", "fail")
    if down and facts.has_cluster and unfinished is None:
        found.append(
            "PostgreSQL does not run: start it (gitlab-ctl start postgresql), so that it can be seen what would be "
            "replaced. If it can't start any more, move /var/opt/gitlab/postgresql/data elsewhere (keep it)."
        )
    return found


def _backup_path(request: Request, facts: Facts, changes: t.Sequence[str]) -> list[str]:
    """What keeps GitLab from unpacking the archive there: it would end when the database is about to be replaced."""
    found = []
    if facts.gitlab_user and facts.backup_path_owner and facts.backup_path_owner != facts.gitlab_user:
        found.append(
            f"backup_path {request.backup_path} belongs to {facts.backup_path_owner}, and GitLab, which works as "
            f"{facts.gitlab_user}, has to unpack the archive there. Give it to {facts.gitlab_user} (chown)."
        )
    if not changes:
        found += other_backup_path(request, facts.gitlab_backup_path)
    return found


def other_backup_path(request: Request, known: str | None) -> list[str]:
    """Whether GitLab, whose own is known, looks for the archive elsewhere."""
    if known is None or os.path.realpath(known) == os.path.realpath(request.backup_path):
        return []
    return [f"backup_path is {request.backup_path}, and gitlab_rails['backup_path'] is {known}: give that."]


def _room(request: Request, manifest: Manifest, facts: Facts, *, placed: bool) -> list[str]:
    if not (request.check_space and request.data) or placed:
        return []
    short = [need for need in needs(manifest, facts) if not need.met]
    return [f"There is too little room: {need}. Free or add space." for need in short]


def needs(manifest: Manifest, facts: Facts) -> list[Need]:
    """Room by file system. backup_path takes what GitLab itself asks for; others what their part has at least."""
    archive = manifest.application
    sizes = {part.name: part.size for part in archive.parts if part.state == State.INCLUDED}
    files = sum(size for name, size in sizes.items() if name not in ("db", "repositories"))
    wanted = {
        "backup_path": UNPACKED_TIMES * archive.size,
        "db": sizes.get("db", 0),
        "repositories": sizes.get("repositories", 0),
        "files": files,
    }
    base = facts.rooms["backup_path"]
    if facts.rooms["sets_path"].device != base.device:
        wanted["backup_path"] += archive.size  # the archive itself has to be copied there
    by_device: dict[int, Need] = {}
    for name, size in wanted.items():
        room = facts.rooms[name]
        if name != "backup_path" and room.device == base.device:
            continue  # GitLab's own three times cover what is unpacked there
        known = by_device.get(room.device, Need(room.path, 0, room.free))
        by_device[room.device] = dataclasses.replace(known, bytes=known.bytes + size)
    return [need for need in by_device.values() if need.bytes]


def _configuration(request: Request, manifest: Manifest, facts: Facts) -> list[str]:
    """What must be so where the configuration stays as it is on the host."""
    if request.configuration or not request.data:
        return []
    found = []
    if (
        manifest.secrets_sha256
        and facts.secrets_sha256 != manifest.secrets_sha256
        and not _same_secrets(manifest, facts)
    ):
        found.append(
            "gitlab-secrets.json of this host is not the set's, so nobody could read what is encrypted in the data. "
            "Restore the configuration too (pieces)."
        )
    known = _restore_compare.recorded(manifest)
    storages = {path.partition("/")[0] for path in (known.repositories or {})} if known else set()
    unknown = sorted(storages - set(facts.storages))
    if unknown:
        found.append(
            f"The set has repositories of the storage {', '.join(unknown)}, which gitlab.rb does not name. Restore the "
            "configuration too (pieces), or add it."
        )
    return found


def _same_secrets(manifest: Manifest, facts: Facts) -> bool:
    """A reconfigure may add keys to the file: what the set has must be there as it was."""
    known = _restore_compare.recorded(manifest)
    if known is None or known.secrets is None or facts.present.secrets is None:
        return False
    return known.secrets.items() <= facts.present.secrets.items()


def replaced(request: Request, manifest: Manifest, facts: Facts) -> list[str]:
    """What of the present data the set may lack, in words; empty where there is nothing to lose."""
    if not request.data or facts.version is None or facts.empty:
        return []
    unread = [
        f"{part} can't be read: {' '.join(words.split())}"
        for part, words in sorted(facts.present.unread.items())
        if part != "secrets"
    ]
    if manifest.fingerprint_after is None:
        return [*unread, "the set has no fingerprint to compare this host's data with"]
    data = dataclasses.replace(request, pieces=("application",))
    found = [
        one for one in _restore_compare.losses(data, manifest, facts.present) if one.part not in facts.present.unread
    ]
    return [*unread, *map(_restore_compare.words, found)]


def _unconfirmed(request: Request, facts: Facts, replaces: t.Sequence[str]) -> list[str]:
    if not replaces or request.replace in (ANY, facts.mark):
        return []
    more = f" and {len(replaces) - _SHOWN} more" if len(replaces) > _SHOWN else ""
    given = (
        f"replace names {request.replace}, which is not this host's data: its mark is {facts.mark}. "
        if request.replace
        else ""
    )
    return [
        f"{given}This host has data of its own, other than the set: {'; '.join(replaces[:_SHOWN])}{more}. To replace "
        f"it, set replace to {facts.mark}, or to {ANY} whatever it is by then."
    ]

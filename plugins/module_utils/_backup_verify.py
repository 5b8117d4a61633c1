# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether archives hold what GitLab said it put there: pure functions over what one reading saw."""

from __future__ import annotations

import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _backup_judge
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_gzip import Budget
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_pass import Seen
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_set import Archive, Part, State
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_tar import Contents, Group, Walker

INFORMATION = "backup_information.yml"
DATABASE = "db/database.sql.gz"
CONFIG = "etc/gitlab/gitlab.rb"
SECRETS = "etc/gitlab/gitlab-secrets.json"
_ENDING = ".tar.gz"


def application_walker(size: int = 0, *, unpack_all: bool = False) -> Walker:
    """size is the archive's, in bytes."""
    budget = Budget(None) if unpack_all else Budget.of(size)
    return Walker(keep=[INFORMATION], budget=budget, look_for=[DATABASE])


def configuration_walker() -> Walker:
    return Walker(hash_of=[CONFIG, SECRETS])


def information(contents: Contents) -> dict[str, str]:
    return _backup_judge.information(contents.texts.get(INFORMATION, b""))


def parts(contents: Contents, states: t.Mapping[str, str]) -> tuple[Part, ...]:
    """Each part with what the archive has of it; states are GitLab's words by part."""
    groups = {name[: -len(_ENDING)] if name.endswith(_ENDING) else name: one for name, one in contents.groups.items()}
    groups.pop(INFORMATION, None)
    found = [_part(name, states.get(name, State.INCLUDED), groups.get(name)) for name in sorted({*states, *groups})]
    return tuple(found)


def _part(name: str, state: str, group: Group | None) -> Part:
    return Part(name, state, group.members, group.size) if group else Part(name, state)


def application_faults(
    contents: Contents,
    states: t.Mapping[str, str],
    set_id: str,
    version: str,
    empty: t.Collection[str] = (),
    unknown: t.Collection[str] = (),
) -> list[str]:
    """What is wrong with the application archive; nothing in a good one.

    empty are parts that have nothing to dump, unknown those of which nobody knows: their folder alone is enough.
    """
    faults = list(contents.faults)
    if faults:
        return faults
    said = information(contents)
    if contents.first != INFORMATION:
        faults.append(f"it begins with {contents.first}, not with {INFORMATION}")
    elif said.get("gitlab_version") != version:
        faults.append(f"it is of GitLab {said.get('gitlab_version')}, and {version} is installed")
    elif said.get("backup_id", set_id) != set_id:
        faults.append(f"it calls itself {said['backup_id']}")
    faults += [
        f"the part {part.name} was dumped and is not in it"
        for part in parts(contents, states)
        if part.state == State.INCLUDED
        and not part.members
        and part.name not in empty
        and not (part.name in unknown and part.name in contents.groups)
    ]
    if states.get("db") == State.INCLUDED and DATABASE not in contents.met and not faults:
        faults.append(f"the database was dumped, and {DATABASE} is not in it, or empty")
    return faults


def archive_faults(seen: Seen, archive: Archive) -> list[str]:
    """What of an archive is not as its manifest says; nothing in one that is as it was when it was made."""
    if (seen.size, seen.sha256) != (archive.size, archive.sha256):
        return [
            f"it has {seen.size} bytes with the checksum {seen.sha256[:12]}..., and {archive.size} bytes with "
            f"{archive.sha256[:12]}... were written"
        ]
    found = {part.name: part.members for part in parts(seen.contents, {})}
    return list(seen.contents.faults) + [
        f"the part {part.name} is not in it"
        for part in archive.parts
        if part.state == State.INCLUDED and part.members and not found.get(part.name)
    ]


def configuration_faults(contents: Contents, secrets_now: str | None) -> list[str]:
    """What is wrong with the configuration archive; secrets_now is the checksum of the host's own secrets."""
    faults = list(contents.faults)
    if faults:
        return faults
    faults += [f"/{name} is not in it" for name in (CONFIG, SECRETS) if name not in contents.sums]
    if not faults and secrets_now != contents.sums[SECRETS]:
        faults.append(f"/{SECRETS} changed while the backup was made (a reconfigure does that); run the backup again")
    return faults

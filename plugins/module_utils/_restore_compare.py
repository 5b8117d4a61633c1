# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host must hold after a restore, by the fingerprints of the set: pure functions. Python 3.9."""

from __future__ import annotations

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _git_refs, _gitlab_fingerprint
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_set import Manifest
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_fingerprint import (
    Difference,
    Fingerprint,
    Rows,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._restore_request import Request


def recorded(manifest: Manifest) -> Fingerprint | None:
    return Fingerprint.from_dict(manifest.fingerprint_after) if manifest.fingerprint_after else None


def begun(manifest: Manifest) -> Fingerprint | None:
    """What is in the archive for certain: the fingerprint when the backup began, and of a part unread then the later.

    What came while the backup was made may be in the archive or not.
    """
    after = recorded(manifest)
    if after is None or not manifest.fingerprint_before:
        return after
    before = Fingerprint.from_dict(manifest.fingerprint_before)
    return Fingerprint(
        after.tables if before.tables is None else before.tables,
        after.repositories if before.repositories is None else before.repositories,
        after.secrets if before.secrets is None else before.secrets,
    )


def expected(request: Request, manifest: Manifest) -> Fingerprint | None:
    """The fingerprint that the host must have afterwards; None where the set has none. What is not restored is None."""
    return _restored(request, manifest, recorded(manifest))


def _restored(request: Request, manifest: Manifest, known: Fingerprint | None) -> Fingerprint | None:
    if known is None:
        return None
    return Fingerprint(
        known.tables if request.data and "db" not in manifest.skipped else None,
        known.repositories if request.data and "repositories" not in manifest.skipped else None,
        known.secrets if request.configuration else None,
    )


def differences(request: Request, manifest: Manifest, found: Fingerprint) -> list[Difference]:
    """What is not as in the set, among what the restore brings back.

    The archive has entries that changed while the backup was made as of some moment between: so must the host.
    """
    wanted = expected(request, manifest)
    if wanted is None:
        return []
    moved = _moved(manifest)
    differ = _gitlab_fingerprint.differences(wanted, found)
    return [one for one in differ if not _is_between(one, moved.get((one.part, one.name)), manifest, found)]


def _moved(manifest: Manifest) -> dict[tuple[str, str], Difference]:
    """What changed while the backup was made."""
    after = recorded(manifest)
    if after is None or not manifest.fingerprint_before:
        return {}
    differ = _gitlab_fingerprint.differences(Fingerprint.from_dict(manifest.fingerprint_before), after)
    return {(one.part, one.name): one for one in differ}


def _is_between(one: Difference, moved: Difference | None, manifest: Manifest, found: Fingerprint) -> bool:
    """Whether an entry is what it may have been while the backup was made; moved is None where it did not change."""
    if moved is None:
        return False
    if one.after == moved.before:
        return True
    if one.part == "repositories":  # refs have no order: it must be there, unless it was not
        return one.after not in (None, _git_refs.UNREADABLE)
    before, after = Fingerprint.from_dict(manifest.fingerprint_before or {}), recorded(manifest)
    rows = [(each.tables or {}).get(one.name) for each in (before, after, found) if each]
    return one.part == "database" and _rows_between(*rows)


def _rows_between(before: Rows | None, after: Rows | None, found: Rows | None) -> bool:
    if before is None or after is None or found is None:
        return False
    return all(
        min(first, last) <= now <= max(first, last)
        for first, last, now in (
            (before.count, after.count, found.count),
            (before.max_id or 0, after.max_id or 0, found.max_id or 0),
        )
    )


def losses(request: Request, manifest: Manifest, found: Fingerprint) -> list[Difference]:
    """What the host has and the set may lack, in the parts that the restore replaces.

    Tables and repositories that moved while the set was made are those that people work in: they count, unless they are
    as they were when it began. What the set has and the host lacks is no loss.
    """
    known = _restored(request, manifest, begun(manifest))
    if known is None:
        return []
    return [one for one in _gitlab_fingerprint.differences(known, found) if one.after is not None]


def words(one: Difference) -> str:
    """A difference between a set (before) and a host (after), for people."""
    return f"{one.part} {one.name}: {one.after or 'nothing'} here, {one.before or 'nothing'} in the set"

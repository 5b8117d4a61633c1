# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host must hold after a restore, by the fingerprints of the set: pure functions. Python 3.9."""

from __future__ import annotations

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _gitlab_fingerprint
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_set import Manifest
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_fingerprint import Difference, Fingerprint
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._restore_request import Request


def recorded(manifest: Manifest) -> Fingerprint | None:
    return Fingerprint.from_dict(manifest.fingerprint_after) if manifest.fingerprint_after else None


def expected(request: Request, manifest: Manifest) -> Fingerprint | None:
    """The fingerprint that the host must have afterwards; None where the set has none. What is not restored is None."""
    known = recorded(manifest)
    if known is None:
        return None
    return Fingerprint(
        known.tables if request.data and "db" not in manifest.skipped else None,
        known.repositories if request.data and "repositories" not in manifest.skipped else None,
        known.secrets if request.configuration else None,
    )


def moving(manifest: Manifest) -> set[tuple[str, str]]:
    """Entries that changed while the backup was made: the archive has them of some moment between."""
    if not manifest.fingerprint_before or not manifest.fingerprint_after:
        return set()
    before = Fingerprint.from_dict(manifest.fingerprint_before)
    after = Fingerprint.from_dict(manifest.fingerprint_after)
    return {(one.part, one.name) for one in _gitlab_fingerprint.differences(before, after)}


def differences(request: Request, manifest: Manifest, found: Fingerprint) -> list[Difference]:
    """What is not as in the set, among what the restore brings back."""
    wanted = expected(request, manifest)
    if wanted is None:
        return []
    return _gitlab_fingerprint.differences(wanted, found, moving=moving(manifest))


def words(one: Difference) -> str:
    """A difference between a set (before) and a host (after), for people."""
    return f"{one.part} {one.name}: {one.after or 'nothing'} here, {one.before or 'nothing'} in the set"

# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The archives of a set before a restore: verified in one reading, and had where GitLab looks for them.

Runs on a host: standard library of Python 3.9.
"""

from __future__ import annotations

import os
import pathlib

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import (
    _backup_pass,
    _backup_set,
    _backup_space,
    _backup_verify,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_request import Refused
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_set import Archive, Kind
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_store import Kept
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._restore_request import Request


def source(kept: Kept) -> pathlib.Path:
    return pathlib.Path(kept.path) / _backup_set.archive_name(kept.id)


def target(request: Request, kept: Kept) -> pathlib.Path:
    """Where GitLab looks for the archive."""
    return pathlib.Path(request.backup_path) / _backup_set.archive_name(kept.id)


def copied(request: Request, kept: Kept) -> pathlib.Path:
    """Where a copy is while nobody knows yet whether it is good; GitLab takes no notice of the name."""
    return target(request, kept).with_name(f".{_backup_set.archive_name(kept.id)}.new")


def verify_application(request: Request, kept: Kept, *, place: bool) -> None:
    """Read the application archive once; where it has to be copied to backup_path, the same reading copies it.

    place is false where nothing may be written. Raises Refused.
    """
    if kept.manifest is None:
        raise Refused(f"The set {kept.id} has no manifest.")
    archive, there, copy = kept.manifest.application, target(request, kept), copied(request, kept)
    if there.exists() and not there.samefile(source(kept)):
        verify(kept, archive, there)  # it is what GitLab will read
        return
    elsewhere = _backup_space.device(request.backup_path) != _backup_space.device(kept.path)
    if not (place and elsewhere):
        verify(kept, archive, source(kept))
        return
    copy.unlink(missing_ok=True)
    try:
        verify(kept, archive, source(kept), copy_to=copy)
    except BaseException:
        copy.unlink(missing_ok=True)
        raise


def verify(kept: Kept, archive: Archive, path: pathlib.Path, copy_to: pathlib.Path | None = None) -> None:
    """Read an archive from its first byte to its last and hold it against the manifest. Raises Refused."""
    configuration = archive.kind == Kind.CONFIGURATION
    walker = _backup_verify.configuration_walker() if configuration else _backup_verify.application_walker()
    try:
        seen = _backup_pass.read(str(path), walker, copy_to=os.fspath(copy_to) if copy_to else None)
    except OSError as exc:
        raise Refused(f"{path} of the set {kept.id} can't be read, and nothing was changed: {exc}.") from None
    faults = _backup_verify.archive_faults(seen, archive)
    if faults:
        raise Refused(
            f"{path} of the set {kept.id} is damaged, and nothing was changed: {'; '.join(faults)}. Use another set, "
            "or fetch this one again."
        )

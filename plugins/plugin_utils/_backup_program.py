# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program that makes backups on a host: one zip of this collection's own modules, the same bytes every time.

The timer must work without a controller, so what the modules do and what the timer does is this one program.
"""

from __future__ import annotations

import hashlib
import io
import json
import pathlib
import re
import zipfile

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _backup_main

PACKAGE = "ansible_collections/fleetwright/gitlab_aws/plugins/module_utils"
# All that the program imports beside the standard library.
MODULES = (
    "_backup_awscli",
    "_backup_gzip",
    "_backup_judge",
    "_backup_lock",
    "_backup_main",
    "_backup_make",
    "_backup_pass",
    "_backup_pieces",
    "_backup_plan",
    "_backup_request",
    "_backup_result",
    "_backup_send",
    "_backup_set",
    "_backup_space",
    "_backup_steps",
    "_backup_store",
    "_backup_tar",
    "_backup_verify",
    "_backup_work",
    "_git_refs",
    "_gitlab_fingerprint",
    "_gitlab_migrations",
    "_gitlab_migrations_act",
    "_gitlab_psql",
    "_gitlab_readiness",
    "_gitlab_server",
    "_gitlab_services",
    "_host_command",
    "_host_signals",
    "_restore_archive",
    "_restore_compare",
    "_restore_config",
    "_restore_fetch",
    "_restore_journal",
    "_restore_judge",
    "_restore_look",
    "_restore_main",
    "_restore_make",
    "_restore_plan",
    "_restore_refusals",
    "_restore_request",
    "_restore_services",
    "_restore_steps",
    "_upgrade_back",
    "_upgrade_door",
    "_upgrade_file",
    "_upgrade_journal",
    "_upgrade_look",
    "_upgrade_main",
    "_upgrade_next",
    "_upgrade_package",
    "_upgrade_postgresql",
    "_upgrade_record",
    "_upgrade_run",
    "_upgrade_steps",
    "_upgrade_unit",
    "_upgrade_work",
)
_MAIN = f"""\
import sys
from {PACKAGE.replace("/", ".")} import _backup_main
sys.exit(_backup_main.main(sys.argv[1:]))
"""
_SOURCE = pathlib.Path(_backup_main.__file__).parent
_EPOCH = (1980, 1, 1, 0, 0, 0)


def build() -> bytes:
    """The program as `python3 backup.pyz` runs it. Nothing is compressed, because compressors differ."""
    folders = PACKAGE.split("/")
    files = {"/".join([*folders[: depth + 1], "__init__.py"]): "" for depth in range(len(folders))}
    files.update({f"{PACKAGE}/{name}.py": (_SOURCE / f"{name}.py").read_text("utf-8") for name in MODULES})
    files["__main__.py"] = _MAIN
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), files[name])
    return out.getvalue()


def sha256(program: bytes) -> str:
    return hashlib.sha256(program).hexdigest()


def collection_version() -> str:
    """The version of this collection: as it was installed, or as its source says."""
    root = _SOURCE.parents[1]
    manifest = root / "MANIFEST.json"
    if manifest.exists():
        return str(json.loads(manifest.read_text("utf-8"))["collection_info"]["version"])
    found = re.search(r"^version: (\S+)$", (root / "galaxy.yml").read_text("utf-8"), re.MULTILINE)
    return found.group(1) if found else "unknown"

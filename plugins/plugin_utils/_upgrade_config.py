# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts a copy of config.toml back without the harm that such a copy does: old tokens never win. Pure functions."""

from __future__ import annotations

import base64
import dataclasses
import datetime
import hashlib
import json
import re
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _config_entries, _masking, _toml_edit

# The runner writes these itself, after a token rotation (runner facts 10.4).
RUNNERS_OWN = ("id", "token", "token_obtained_at", "token_expires_at")


class BackupError(Exception):
    """A backup that can't be used; the text says what to do."""


@dataclasses.dataclass(frozen=True)
class Backup:
    """A copy that was read and fits its manifest."""

    name: str
    names: tuple[str, ...]
    manifest: t.Mapping[str, t.Any]
    text: str | None = dataclasses.field(repr=False)


def parse(output: str, folder: str) -> Backup:
    """What reading a backup brought; raises BackupError where there is none or it is damaged."""
    names = tuple(re.findall(r"^backup (\S+)$", output, re.MULTILINE))
    one = dict(re.findall(r"^(name|manifest|config) (\S*)$", output, re.MULTILINE))
    if "manifest" not in one:
        wanted = f" {one['name']}" if one.get("name") else ""
        raise BackupError(f"There is no backup{wanted} in {folder}; there are {', '.join(names) or 'none'}.")
    try:
        manifest = json.loads(base64.b64decode(one["manifest"]))
        content = base64.b64decode(one["config"]) if "config" in one else None
        known = manifest["files"].get("config.toml", {}).get("sha256")
        whole = known == (None if content is None else hashlib.sha256(content).hexdigest())
        text = None if content is None else content.decode()
    except (ValueError, KeyError, AttributeError) as exc:
        raise BackupError(f"The backup {one['name']} in {folder} is damaged ({exc}). Choose another.") from None
    if not whole:
        raise BackupError(f"The backup {one['name']} in {folder} does not fit its manifest (sha256). Choose another.")
    return Backup(one["name"], names, manifest, text)


def restored(kept: str, present: str, where: str) -> str:
    """The kept text, with the tokens that the present file got later: those in the copy were rotated away."""
    old, new = _toml_edit.parse(kept, where), _toml_edit.parse(present, where)
    runners = _config_entries.spelling(old, "runners") or "runners"
    edits = []
    for number, entry in enumerate(_config_entries.entries_of(old)):
        later = _same_runner(entry, _config_entries.entries_of(new))
        if later is None or _obtained(later) <= _obtained(entry):
            continue
        for key in RUNNERS_OWN:
            value = _config_entries.value_of(later, key)
            spelled = _config_entries.spelling(entry, key) or key
            if value is not None and _config_entries.value_of(entry, key) != value:
                edits.append(_toml_edit.Edit((runners, number, spelled), value))
    if not edits:
        return kept
    from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _toml_write  # only for a change

    return _toml_write.edited(kept, edits, where)


def _obtained(entry: _config_entries.Table) -> float:
    """When the entry got its token; 0 where it does not say."""
    value = _config_entries.value_of(entry, "token_obtained_at")
    if not isinstance(value, datetime.datetime) or value.year == 1:  # the runner's own "never"
        return 0.0
    return value.timestamp()


def _same_runner(
    entry: _config_entries.Table, others: t.Sequence[_config_entries.Table]
) -> _config_entries.Table | None:
    """The entry of the same runner: of the same id, and for those without one of the same name."""
    runner_id = _config_entries.value_of(entry, "id")
    key = "id" if runner_id else "name"
    found = [other for other in others if _config_entries.value_of(other, key) == _config_entries.value_of(entry, key)]
    return found[0] if len(found) == 1 else None


def same(kept: str, present: str, where: str) -> bool:
    """Whether both files mean the same, apart from how the runner writes what it saves."""
    return _meaning(kept, where) == _meaning(present, where)


def _meaning(text: str, where: str) -> dict[str, t.Any]:
    """The file without what a save adds: empty tables, zeros, the user of the command line (runner facts 10.18)."""
    config = _toml_edit.parse(text, where)
    return {name: _pruned(value) for name, value in config.items() if name != "user" and _pruned(value) not in _EMPTY}


_EMPTY: tuple[t.Any, ...] = ({}, [], "", 0, False, "0s")


def _pruned(value: t.Any) -> t.Any:
    if isinstance(value, list):
        return [_pruned(one) for one in value]
    if isinstance(value, dict):
        kept = {name: _pruned(one) for name, one in value.items()}
        return {name: one for name, one in kept.items() if one not in _EMPTY and not _never(one)}
    return value


def _never(value: t.Any) -> bool:
    return isinstance(value, datetime.datetime) and value.year == 1


def diff(before: str, after: str, path: str) -> dict[str, str]:
    """Both texts as a task may show them."""
    known, wanted = (_masking.secrets(_toml_edit.parse(text, path)) for text in (before, after))
    return _masking.masked_diff(before, after, known, wanted, path)

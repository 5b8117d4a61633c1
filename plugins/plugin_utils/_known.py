# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host's config.toml knows of the runners that a task speaks of: pure functions."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _config_plan
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._declaration import Declared

Mapping = t.Mapping[str, t.Any]


@dataclasses.dataclass(frozen=True)
class Known:
    """What the host's config.toml knows of a runner; same_gitlab says whether its url is one of those in this task."""

    id: int = 0
    token: str = dataclasses.field(default="", repr=False)
    on_disk: bool = False
    same_gitlab: bool = True
    url: str = ""


def known_from(
    disk: _config_plan.Disk,
    declared: Declared,
    doubled: _config_plan.Doubled = _config_plan.Doubled.FAIL,
    urls: t.Collection[str] = (),
) -> Known:
    """Find a declared runner in the parsed config.toml; what is on disk wins over what is declared.

    urls are the addresses under which this task knows GitLab.
    """
    number = disk.find(declared.entry(), doubled)
    if number is None:
        return Known(token=declared.token or "")
    entry = disk.entries[number]
    url = str(_config_plan.value_of(entry, "url") or "")
    ours = {same_url(one) for one in (*urls, declared.config.get("url") or "")}
    return Known(
        id=int(_config_plan.value_of(entry, "id") or 0),
        token=_config_plan.value_of(entry, "token") or "",
        on_disk=True,
        same_gitlab=not url or not urls or same_url(url) in ours,
        url=url,
    )


def same_url(url: str) -> str:
    """A URL in the form in which two of them are the same GitLab: the runner takes /ci and a slash at the end."""
    return url.strip().rstrip("/").removesuffix("/api/v4").removesuffix("/ci").rstrip("/").casefold()


def undeclared(config: Mapping, declared: t.Sequence[Declared], urls: t.Collection[str] = ()) -> list[Declared]:
    """Entries of this GitLab on disk that nobody declares, as runners to be removed; those of others stay."""
    names = {runner.name for runner in declared}
    ours = {same_url(one) for one in urls}
    return [
        Declared(str(_config_plan.value_of(entry, "name")), state="absent", named=False)
        for entry in _config_plan.entries_of(config)
        if _config_plan.value_of(entry, "name") not in names
        and (not ours or same_url(str(_config_plan.value_of(entry, "url") or "")) in ours)
    ]

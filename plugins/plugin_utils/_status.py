# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of runners, brought together: pure functions for gitlab_runner_info and the status table."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._table import table
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _config_plan

__all__ = ["Entry", "entries", "of_host", "runners", "summary", "table"]

Mapping = t.Mapping[str, t.Any]
PREFIXES = ("glrtr-", "glrt-t1_", "glrt-t2_", "glrt-t3_", "glrt-")


@dataclasses.dataclass(frozen=True)
class Entry:
    """A [[runners]] entry without its secrets; token stays inside for telling entries apart."""

    name: str
    id: int
    url: str
    executor: str
    token: str = dataclasses.field(repr=False)


def entries(config: Mapping) -> list[Entry]:
    """The entries of a parsed config.toml, in their order."""
    return [
        Entry(
            name=str(_config_plan.value_of(entry, "name") or ""),
            id=int(_config_plan.value_of(entry, "id") or 0),
            url=str(_config_plan.value_of(entry, "url") or ""),
            executor=str(_config_plan.value_of(entry, "executor") or ""),
            token=str(_config_plan.value_of(entry, "token") or ""),
        )
        for entry in _config_plan.entries_of(config)
    ]


def runners(
    found: t.Sequence[Entry], verified: t.Sequence[Mapping], in_gitlab: t.Mapping[int, Mapping | None]
) -> list[dict[str, t.Any]]:
    """One dict a runner; what nobody was asked about is None."""
    return [
        {
            "name": entry.name,
            "id": entry.id or None,
            "url": entry.url,
            "executor": entry.executor,
            "verified": _verdict(entry, verified),
            **_gitlab_side(entry, in_gitlab),
        }
        for entry in found
    ]


def _verdict(entry: Entry, verified: t.Sequence[Mapping]) -> str | None:
    """The program names an entry by its short token, which versions cut differently (runner facts 4.1)."""
    forms = [entry.token, *(entry.token[len(prefix) :] for prefix in PREFIXES if entry.token.startswith(prefix))]
    for line in verified:
        if line["runner"] and any(form.startswith(line["runner"]) for form in forms):
            return str(line["verified"])
    return None


def _gitlab_side(entry: Entry, in_gitlab: t.Mapping[int, Mapping | None]) -> dict[str, t.Any]:
    details = in_gitlab.get(entry.id)
    if details is None:
        missing = entry.id in in_gitlab
        return {"status": "deleted" if missing else None, "paused": None, "tag_list": None}
    return {name: details.get(name) for name in ("status", "paused", "tag_list")}


def of_host(variables: Mapping) -> dict[str, t.Any]:
    """What the status playbook found out of one host, from its variables: the whole look, or what is left of it."""
    whole, alone = variables.get("gitlab_runner_status") or {}, variables.get("gitlab_runner_status_alone") or {}
    if whole.get("unreachable") or not (whole or alone):
        return {"note": f"not reached: {whole.get('msg') or 'no answer'}"}
    if not whole.get("failed"):
        return dict(whole)
    if alone.get("failed") or "service" not in alone:
        return {"note": str(whole.get("msg"))}
    return {**alone, "note": str(whole.get("msg"))}


def summary(host: str, info: Mapping) -> dict[str, str]:
    """One host's row of the status table; what nobody could find out is "?"."""
    known = info.get("runners")
    jobs = info.get("jobs")
    service = (info.get("service") or {}).get("word")
    return {
        "HOST": host,
        "VERSION": str(info.get("version") or ("-" if service else "?")),
        "SERVICE": str(service or "?"),
        "RUNNERS": "?" if known is None else str(len(known)),
        "VERIFIED": "?" if known is None else _share(known, "verified", "valid"),
        "PAUSED": "?" if known is None else _share(known, "paused", True),
        "JOBS": "?" if jobs is None else str(len(jobs)),
        "NOTE": " ".join(str(info.get("note") or "").split()),
    }


def _share(known: t.Sequence[Mapping], field: str, wanted: t.Any) -> str:
    """How many of those of which it is known; "?" where nobody was asked."""
    asked = [runner for runner in known if runner.get(field) is not None]
    if not asked:
        return "-" if not known else "?"
    return f"{sum(runner[field] == wanted for runner in asked)}/{len(known)}"

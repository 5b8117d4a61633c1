# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The backups of GitLab servers as rows of one table: pure functions over results of gitlab_backup_info."""

from __future__ import annotations

import typing as t

Info = t.Mapping[str, t.Any]


def summary(host: str, info: Info) -> dict[str, str]:
    """One host's row; what nobody could find out is "?"."""
    if info.get("unreachable") or info.get("failed") or "sets" not in info:
        unknown = dict.fromkeys(("GOOD", "LATEST", "LAST RUN", "BY", "ENDED", "COPY"), "?")
        return {"HOST": host, **unknown, "NOTE": _line(info.get("msg") or "no answer")}
    last: Info = info.get("last") or {}
    good = [one for one in info["sets"] if one["condition"] == "good"]
    return {
        "HOST": host,
        "GOOD": str(len(good)),
        "LATEST": str(info.get("latest") or "-"),
        "LAST RUN": str(last.get("state") or "-"),
        "BY": str(last.get("origin") or "-"),
        "ENDED": str(last.get("ended") or "-"),
        "COPY": _copy(good[-1]["copies"]) if good else "-",
        "NOTE": _line(_note(info["sets"], last)),
    }


def _copy(copies: t.Mapping[str, str]) -> str:
    """What is known of the newest set's copies; the worst of them."""
    if not copies:
        return "-"
    return "unfinished" if "unfinished" in copies.values() else "complete"


def _note(sets: t.Sequence[Info], last: Info) -> str:
    """The first thing that somebody should look at."""
    if last.get("error"):
        return str(last["error"])
    bad = [f"{one['id']} is {one['condition']}" for one in sets if one["condition"] in ("damaged", "unfinished")]
    return "; ".join(bad) if last.get("state") != "running" else str(last.get("stage", ""))


def _line(words: t.Any) -> str:
    return " ".join(str(words).split())

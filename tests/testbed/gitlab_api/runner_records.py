# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes to runners that several calls share: creation, model validation, tokens, queue values."""

from __future__ import annotations

import json
import time
import typing as t

from .errors import forbidden
from .store import Row, Store
from .tokens import queue_value, runner_token

if t.TYPE_CHECKING:
    from .app import Twin

Faults = dict[str, list[str]]

TEXT_LIMIT, TAG_LIMIT, SHORTEST_TIMEOUT = 1024, 50, 600
NO_TAGS = "can not be empty when runner is not allowed to pick untagged jobs"
MANY_TAGS = "Too many tags specified. Please limit the number of tags to 50"
SHORT_TIMEOUT = "needs to be at least 10 minutes"
LONG_TEXT = "is too long (maximum is 1024 characters)"
_VALUE_SECONDS = 3600


def model_faults(values: t.Mapping[str, t.Any]) -> Faults:
    """Return what GitLab's model validation says about a runner (API facts 3.1, 3.2)."""
    faults: Faults = {}
    if not values["tag_list"] and not values["run_untagged"]:
        faults.setdefault("tags_list", []).append(NO_TAGS)
    if len(values["tag_list"]) > TAG_LIMIT:
        faults.setdefault("tags_list", []).append(MANY_TAGS)
    if values["maximum_timeout"] is not None and values["maximum_timeout"] < SHORTEST_TIMEOUT:
        faults["maximum_timeout"] = [SHORT_TIMEOUT]
    for name in ("description", "maintenance_note"):
        if len(values[name] or "") > TEXT_LIMIT:
            faults[name] = [LONG_TEXT]
    return faults


def sentence(faults: Faults) -> str:
    """Return faults as one sentence: field and text, joined with commas and `and`."""
    texts = [f"{name.capitalize().replace('_', ' ')} {text}" for name, found in faults.items() for text in found]
    if len(texts) > 2:
        return f"{', '.join(texts[:-1])}, and {texts[-1]}"
    return " and ".join(texts)


def create(
    twin: Twin,
    values: t.Mapping[str, t.Any],
    *,
    registered: bool,
    creator_id: int | None,
    group_id: int | None,
    project_id: int | None,
) -> Row:
    """Add a runner whose values passed the validation."""
    token, now = new_token(twin, values["runner_type"], registered), time.time()
    runner_id = twin.store.insert(
        "runners",
        token=token,
        token_expires_at=_expiry(twin),
        registered=int(registered),
        runner_type=values["runner_type"],
        group_id=group_id,
        description=values["description"],
        maintenance_note=values["maintenance_note"],
        active=int(not values["paused"]),
        locked=int(values["locked"]),
        run_untagged=int(values["run_untagged"]),
        access_level=values["access_level"],
        maximum_timeout=values["maximum_timeout"],
        tag_list=json.dumps(tags(values["tag_list"])),
        creator_id=creator_id,
        created_at=now,
        updated_at=now,
    )
    if project_id is not None:
        twin.store.insert("runner_projects", runner_id=runner_id, project_id=project_id)
    return twin.store.must("runners", runner_id)


def tags(names: t.Iterable[str]) -> list[str]:
    """Return each tag once, in the order given."""
    return list(dict.fromkeys(names))


def new_token(twin: Twin, runner_type: str, registered: bool) -> str:
    prefix = str(twin.settings["instance_token_prefix"])
    return runner_token(twin.traits, runner_type, registered=registered, instance_prefix=prefix)


def _expiry(twin: Twin) -> float | None:
    lifetime = twin.settings["runner_token_lifetime"]
    return None if lifetime is None else time.time() + float(lifetime)


def reset_token(twin: Twin, row: Row) -> Row:
    """Give a runner a new token; the old one is dead at once."""
    token = new_token(twin, row["runner_type"], bool(row["registered"]))
    twin.store.update("runners", row["id"], token=token, token_expires_at=_expiry(twin), updated_at=time.time())
    tick(twin.store, row["id"])
    return twin.store.must("runners", row["id"])


def delete(store: Store, runner_id: int) -> None:
    """Remove a runner and its managers; its jobs stay, without it."""
    store.run("DELETE FROM managers WHERE runner_id = ?", runner_id)
    store.run("DELETE FROM runner_projects WHERE runner_id = ?", runner_id)
    store.run("DELETE FROM runners WHERE id = ?", runner_id)
    store.changed.notify_all()


def tick(store: Store, runner_id: int) -> str:
    """Give a runner a new queue value, so that a waiting jobs/request returns."""
    value = queue_value()
    store.update("runners", runner_id, queue_value=value, queue_value_at=time.time())
    store.changed.notify_all()
    return value


def current_value(store: Store, row: Row) -> str:
    """Return a runner's queue value; GitLab keeps it for one hour."""
    if row["queue_value"] and time.time() - row["queue_value_at"] < _VALUE_SECONDS:
        return str(row["queue_value"])
    return tick(store, row["id"])


def authenticate(store: Store, token: t.Any) -> Row:
    """Return the runner with this token; an invalid and an expired one get the same 403 (API facts 3.4)."""
    row = store.one("SELECT * FROM runners WHERE token = ?", str(token or ""))
    if row is None or (row["token_expires_at"] is not None and row["token_expires_at"] <= time.time()):
        raise forbidden()
    return row


def contact(store: Store, row: Row, peer: str) -> None:
    """Remember that a runner was heard of."""
    store.update("runners", row["id"], contacted_at=time.time(), ip_address=peer)


def ensure_manager(store: Store, runner_id: int, system_id: t.Any, info: t.Any, *, peer: str, contacted: bool) -> Row:
    """Return the manager of this system, made if need be; `<legacy>` stands for no system_id."""
    name = str(system_id or "<legacy>")
    find = "SELECT * FROM managers WHERE runner_id = ? AND system_id = ?"
    row = store.one(find, runner_id, name)
    if row is None:
        manager_id = store.insert("managers", runner_id=runner_id, system_id=name, created_at=time.time())
        row = store.must("managers", manager_id)
    if not contacted:
        return row
    known = info if isinstance(info, dict) else {}
    keys = ("version", "revision", "platform", "architecture")
    details = {key: str(known[key])[:255] for key in keys if known.get(key)}
    store.update("managers", row["id"], contacted_at=time.time(), ip_address=peer, **details)
    return row

# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls with a runner's own token, or with a registration token (API facts 3.4)."""

from __future__ import annotations

import typing as t

from . import runner_records as records
from .errors import bad_request, forbidden, message, no_route, not_found
from .params import Param
from .router import API, Route
from .runner_views import registration, reset
from .runners_admin import LEVELS, create_values
from .traits import Trait
from .web import Response, json_response, no_content

if t.TYPE_CHECKING:
    from .app import Call

Owner = tuple[str, t.Optional[int], t.Optional[int]]


def verify(call: Call) -> Response:
    row = records.authenticate(call.store, call.params["token"])
    counts = call.has(Trait.VERIFY_CONTACTS)
    peer = call.request.peer
    info = call.request.params.get("info")
    records.ensure_manager(call.store, row["id"], call.params.get("system_id"), info, peer=peer, contacted=counts)
    if counts or row["registered"]:
        records.contact(call.store, row, peer)
    return json_response(200, registration(row))


def delete_manager(call: Call) -> Response:
    row = records.authenticate(call.store, call.params["token"])
    gone = call.store.run(
        "DELETE FROM managers WHERE runner_id = ? AND system_id = ?", row["id"], call.params["system_id"]
    )
    if not gone:
        raise not_found("Runner manager not found")
    return no_content()


def delete_runner(call: Call) -> Response:
    records.delete(call.store, records.authenticate(call.store, call.params["token"])["id"])
    return no_content()


def reset_by_token(call: Call) -> Response:
    row = records.authenticate(call.store, call.params["token"])
    return json_response(201, reset(records.reset_token(call.twin, row)))


def register(call: Call) -> Response:
    """Register the old way: the token says whose runner it becomes."""
    kind, group_id, project_id = _owner(call, call.params["token"])
    if not call.twin.settings["registration_tokens"]:
        raise message(410, "410 Gone - runner registration disallowed")
    values = {**create_values(call.params), "runner_type": kind}
    if call.params.get("active") is False:
        values["paused"] = True
    faults = records.model_faults(values)
    if faults:
        raise bad_request(records.sentence(faults))
    row = records.create(call.twin, values, registered=True, creator_id=None, group_id=group_id, project_id=project_id)
    records.contact(call.store, row, call.request.peer)
    return json_response(201, registration(row))


def _owner(call: Call, token: str) -> Owner:
    if token and token == call.store.settings()["registration_token"]:
        return "instance_type", None, None
    for table, kind in (("groups", "group_type"), ("projects", "project_type")):
        row = call.store.one(f"SELECT id FROM {table} WHERE runners_token = ?", token)
        if row:
            return kind, row["id"] if table == "groups" else None, row["id"] if table == "projects" else None
    raise forbidden("invalid token supplied")


def discover(call: Call) -> Response:
    if not call.has(Trait.JOB_ROUTER):
        raise no_route()
    records.authenticate(call.store, call.request.header("runner-token"))
    url = call.twin.settings["job_router_url"]
    if not url:
        raise message(501, "501 Not Implemented")
    return json_response(200, {"server_url": url})


_TOKEN = Param("token", required=True)
_SYSTEM = Param("system_id")
_REGISTER = (
    _TOKEN,
    Param("description"),
    Param("maintenance_note"),
    Param("maintainer_note"),
    Param("active", "boolean"),
    Param("paused", "boolean"),
    Param("locked", "boolean"),
    Param("access_level", values=LEVELS),
    Param("run_untagged", "boolean"),
    Param("tag_list", "list"),
    Param("maximum_timeout", "integer"),
)
ROUTES = (
    Route("POST", f"{API}/runners/verify", verify, "runner", params=(_TOKEN, _SYSTEM)),
    Route(
        "DELETE",
        f"{API}/runners/managers",
        delete_manager,
        "runner",
        params=(_TOKEN, Param("system_id", required=True)),
    ),
    Route("POST", f"{API}/runners/reset_authentication_token", reset_by_token, "runner", params=(_TOKEN,)),
    Route("GET", f"{API}/runners/router/discovery", discover, "runner"),
    Route("DELETE", f"{API}/runners", delete_runner, "runner", params=(_TOKEN,)),
    Route("POST", f"{API}/runners", register, "runner", params=_REGISTER, exclusive=("active", "paused")),
)

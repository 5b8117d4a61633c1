# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runner administration by a user, one runner at a time (API facts 3.1, 3.2)."""

from __future__ import annotations

import email.utils
import json
import time
import typing as t

from . import runner_records as records
from .auth import group_access, project_access, visible_project
from .errors import bad_request, forbidden, invalid, message, no_route, not_found
from .pagination import paginated
from .params import Param
from .router import API, Route
from .runner_views import assigned_projects, manager, registration, reset, runner, runner_details
from .seed import MAINTAINER, OWNER
from .store import Row
from .traits import Trait
from .views import basic_project
from .web import Response, json_response, no_content

if t.TYPE_CHECKING:
    from .app import Call

TYPES = ("instance_type", "group_type", "project_type")
LEVELS = ("not_protected", "ref_protected")
_COMMON = (
    Param("description"),
    Param("maintenance_note"),
    Param("paused", "boolean"),
    Param("locked", "boolean"),
    Param("access_level", values=LEVELS),
    Param("run_untagged", "boolean"),
    Param("tag_list", "list"),
    Param("maximum_timeout", "integer"),
)
_CREATE = (
    Param("runner_type", required=True, values=TYPES),
    Param("group_id", "integer", only_for=("runner_type", "group_type")),
    Param("project_id", "integer", only_for=("runner_type", "project_type")),
    *_COMMON,
)
_UPDATE_KEYS = (
    "description",
    "active",
    "paused",
    "tag_list",
    "run_untagged",
    "locked",
    "access_level",
    "maximum_timeout",
    "maintenance_note",
)
_ID = Param("id", "integer", required=True)
_UNSET: dict[str, t.Any] = {
    "description": None,
    "maintenance_note": None,
    "paused": False,
    "locked": False,
    "run_untagged": True,
    "access_level": "not_protected",
    "tag_list": [],
    "maximum_timeout": None,
}


def create_values(params: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return a new runner's values; null, "" and [] count as not given."""
    given = {name: value for name, value in params.items() if value not in (None, "", [])}
    values = {**_UNSET, **given}
    return {**values, "tag_list": records.tags(values["tag_list"])}


def create_runner(call: Call) -> Response:
    kind = call.params["runner_type"]
    group_id = call.params.get("group_id") if kind == "group_type" else None
    project_id = call.params.get("project_id") if kind == "project_type" else None
    _check_owner(call, kind, group_id, project_id)
    values = create_values(call.params)
    faults = records.model_faults(values)
    if faults:
        raise bad_request(records.sentence(faults))
    row = records.create(
        call.twin, values, registered=False, creator_id=call.who.user_id, group_id=group_id, project_id=project_id
    )
    return json_response(201, registration(row))


def _check_owner(call: Call, kind: str, group_id: int | None, project_id: int | None) -> None:
    """Check that the group or project exists (400), then the right (403): in this order (API facts 3.1)."""
    store, who = call.store, call.who
    allowed = who.admin
    if kind == "group_type":
        if group_id is None or store.get("groups", group_id) is None:
            raise bad_request("Missing/invalid group")
        allowed = group_access(store, who, group_id) >= OWNER
    if kind == "project_type":
        project = None if project_id is None else store.get("projects", project_id)
        if project is None:
            raise bad_request("Missing/invalid project")
        allowed = project_access(store, who, project) >= MAINTAINER
    if not allowed:
        raise forbidden("Insufficient permissions")


def find_runner(call: Call, runner_id: int) -> Row:
    row = call.store.get("runners", runner_id)
    if row is None:
        raise not_found("Runner" if call.has(Trait.RUNNER_NOT_FOUND) else "")
    return row


def may_update(call: Call, row: Row) -> bool:
    """Administrators, Owners of its group, Maintainers of one of its projects."""
    if call.who.admin:
        return True
    if row["group_id"]:
        return group_access(call.store, call.who, row["group_id"]) >= OWNER
    projects = assigned_projects(call.store, row["id"])
    return any(project_access(call.store, call.who, project) >= MAINTAINER for project in projects)


def readable(call: Call) -> Row:
    """Return the runner; instance runners are open to every signed-in user."""
    row = find_runner(call, call.params["id"])
    if row["runner_type"] != "instance_type" and not may_update(call, row):
        raise forbidden("No access granted")
    return row


def _updatable(call: Call) -> Row:
    row = find_runner(call, call.params["id"])
    if not may_update(call, row):
        raise forbidden("No access granted")
    return row


def get_runner(call: Call) -> Response:
    row = readable(call)
    wanted = call.params.get("include_projects") is not False or not call.has(Trait.INCLUDE_PROJECTS)
    return json_response(200, runner_details(call.twin, row, projects=wanted, may_update=may_update(call, row)))


def update_runner(call: Call) -> Response:
    row = _updatable(call)
    given = dict(call.params)
    if "paused" in given:
        given["active"] = None if given["paused"] is None else not given["paused"]
    changes: dict[str, t.Any] = {}
    for name in ("active", "run_untagged", "locked", "access_level"):
        if given.get(name) is not None:
            changes[name] = given[name]
    changes.update(
        {name: given[name] for name in ("description", "maintenance_note", "maximum_timeout") if name in given}
    )
    if "tag_list" in given:
        changes["tag_list"] = records.tags(given["tag_list"] or [])
    faults = records.model_faults({**row, "tag_list": json.loads(row["tag_list"]), **changes})
    if faults:
        raise invalid(faults)
    if "tag_list" in changes:
        changes["tag_list"] = json.dumps(changes["tag_list"])
    call.store.update("runners", row["id"], **changes, updated_at=time.time())
    records.tick(call.store, row["id"])
    projects = not call.has(Trait.PUT_WITHOUT_PROJECTS)
    return json_response(200, runner_details(call.twin, call.store.must("runners", row["id"]), projects=projects))


def delete_runner(call: Call) -> Response:
    row = find_runner(call, call.params["id"])
    if not call.who.admin and len(assigned_projects(call.store, row["id"])) > 1:
        raise forbidden("Runner associated with more than one project")
    if not may_update(call, row):
        raise forbidden("No access granted")
    since = call.request.header("if-unmodified-since")
    if since and _epoch(since) < int(row["updated_at"]):
        raise message(412, "412 Precondition Failed")
    records.delete(call.store, row["id"])
    return no_content()


def _epoch(text: str) -> float:
    try:
        return email.utils.parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError) as exc:
        raise message(412, "412 Precondition Failed") from exc


def list_managers(call: Call) -> Response:
    row = readable(call)
    managers = call.store.all("SELECT * FROM managers WHERE runner_id = ? ORDER BY id", row["id"])
    return json_response(200, [manager(call.twin, found) for found in managers])


def list_runner_projects(call: Call) -> Response:
    if not call.has(Trait.RUNNER_PROJECTS):
        raise no_route()
    row = readable(call)
    projects = assigned_projects(call.store, row["id"])
    return paginated(call, projects, lambda found: basic_project(call.twin, found))


def reset_by_user(call: Call) -> Response:
    return json_response(201, reset(records.reset_token(call.twin, _updatable(call))))


def assign(call: Call) -> Response:
    project = _administered_project(call)
    row = find_runner(call, call.params["runner_id"])
    if row["runner_type"] == "group_type":
        raise forbidden("Runner is a group runner")
    if not call.who.admin and row["locked"]:
        raise forbidden("Runner is locked")
    if row["runner_type"] != "project_type" or not may_update(call, row):
        raise forbidden("No access granted")
    if project["id"] in [known["id"] for known in assigned_projects(call.store, row["id"])]:
        raise message(400, {"runner_projects": ["is invalid"]})
    call.store.insert("runner_projects", runner_id=row["id"], project_id=project["id"])
    records.tick(call.store, row["id"])
    return json_response(201, runner(call.twin, call.store.must("runners", row["id"])))


def unassign(call: Call) -> Response:
    project = _administered_project(call)
    assigned = [found["id"] for found in assigned_projects(call.store, call.params["runner_id"])]
    if project["id"] not in assigned:
        raise not_found("Runner")
    if project["id"] == assigned[0]:
        newest = "You cannot unassign a runner from the owner project. Delete the runner instead"
        older = "Only one project associated with the runner. Please remove the runner instead"
        raise forbidden(newest if call.has(Trait.UNASSIGN_TEXT) else older)
    call.store.run(
        "DELETE FROM runner_projects WHERE runner_id = ? AND project_id = ?", call.params["runner_id"], project["id"]
    )
    records.tick(call.store, call.params["runner_id"])
    return no_content()


def _administered_project(call: Call) -> Row:
    project = visible_project(call)
    if project_access(call.store, call.who, project) < MAINTAINER:
        raise forbidden()
    return project


_MANAGE = ("manage_runner",)
_ONE = f"{API}/runners/:id"
_RUNNER_ID = (Param("runner_id", "integer", required=True),)
ROUTES = (
    Route("POST", f"{API}/user/runners", create_runner, scopes=("create_runner",), params=_CREATE),
    Route("GET", _ONE, get_runner, scopes=_MANAGE, params=(_ID, Param("include_projects", "boolean"))),
    Route(
        "PUT",
        _ONE,
        update_runner,
        scopes=_MANAGE,
        params=(_ID, Param("active", "boolean"), *_COMMON),
        one_of=_UPDATE_KEYS,
        exclusive=("active", "paused"),
    ),
    Route("DELETE", _ONE, delete_runner, scopes=_MANAGE, params=(_ID,)),
    Route("GET", f"{_ONE}/managers", list_managers, scopes=_MANAGE, params=(_ID,)),
    Route("GET", f"{_ONE}/projects", list_runner_projects, scopes=_MANAGE, params=(_ID,)),
    Route("POST", f"{_ONE}/reset_authentication_token", reset_by_user, scopes=_MANAGE, params=(_ID,)),
    Route("POST", f"{API}/projects/:id/runners", assign, params=_RUNNER_ID),
    Route("DELETE", f"{API}/projects/:id/runners/:runner_id", unassign, params=_RUNNER_ID),
)

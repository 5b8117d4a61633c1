# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waits for the end of GitLab's background migrations, and shows how far they are."""

from __future__ import annotations

import time
import typing as t

from ansible.errors import AnsibleActionFail
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _host_action

LOOK_MODULE = "fleetwright.gitlab_aws.gitlab_background_migrations_look"
# How long one look may stay on the host; each is one module there, and one line for people.
LOOK_SECONDS = 30

ARGUMENT_SPEC: dict[str, t.Any] = {
    "wait": {"type": "bool", "default": True},
    "timeout": {"type": "int", "default": 86400},
    "resume": {"type": "bool", "default": False},
    "finalize": {"type": "bool", "default": False},
}


class ActionModule(_host_action.HostAction):
    """gitlab_background_migrations: looks on the host, half a minute each."""

    def run(self, tmp: str | None = None, task_vars: _host_action.TaskVars = None) -> _host_action.Result:
        result: _host_action.Result = super().run(tmp, task_vars)
        args = self._arguments(ARGUMENT_SPEC)
        if args["resume"] and args["finalize"]:
            raise AnsibleActionFail("resume and finalize are two ways; choose one. Nothing was changed.")
        if args["timeout"] < 0:
            raise AnsibleActionFail(f"timeout is {args['timeout']}; give seconds. Nothing was changed.")
        act = "resume" if args["resume"] else "finalize" if args["finalize"] else "nothing"
        found = self._looked(act, float(args["timeout"]) if args["wait"] else 0.0, task_vars)
        told = ("counts", "unfinished", "in_queues", "queued_at", "acted", "changed")
        result.update({name: found[name] for name in told})
        if args["wait"] and not found["ended"] and not self._task.check_mode:
            raise AnsibleActionFail(found["remedy"], result=result)
        return result

    def _looked(self, act: str, timeout: float, task_vars: _host_action.TaskVars) -> _host_action.Result:
        """Look until nothing is left, waiting can't help, or time is up; changed and acted are the first look's."""
        until = time.monotonic() + timeout
        first: _host_action.Result | None = None
        while True:
            left = max(0.0, until - time.monotonic())
            arguments = {"act": "nothing" if first else act, "wait": int(min(LOOK_SECONDS, left))}
            found = self._on_host(LOOK_MODULE, arguments, task_vars)
            first = first or found
            if found["ended"] or found["stuck"] or left < 1 or self._task.check_mode:
                return {**found, "changed": first["changed"], "acted": first["acted"]}
            self._say(found["progress"])

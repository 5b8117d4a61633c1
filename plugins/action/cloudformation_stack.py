# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Goes from step to step of a stack's run, and shows CloudFormation's events as they come.

The module does one step or looks for a few seconds how it goes on; here is only the order.
"""

from __future__ import annotations

import time
import typing as t

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

display = Display()
Result = dict[str, t.Any]
# A stack is waited for, what is left of it is deleted, its rollback continued: no way takes more.
MOST_STEPS = 6


class ActionModule(ActionBase):
    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> Result:
        result: Result = super().run(tmp, task_vars)
        end = time.monotonic() + float(self._task.args.get("wait_timeout") or 3600)
        total: Result = {"changed": False, "events": []}
        for _step in range(MOST_STEPS):
            done = self._module({}, task_vars)
            total = _added(total, done)
            watch = total.pop("watch", None)
            note = total.pop("note", "")
            if note:
                display.display(f"  {note}")
            if total.get("failed") or watch is None:
                break
            total = _added(total, self._follow(watch, end, task_vars))
            if total.get("failed") or not watch["again"]:
                break
        result.update(total)
        return result

    def _follow(self, watch: Result, end: float, task_vars: dict[str, t.Any] | None) -> Result:
        """Look until the operation has ended; returns what it came to."""
        events: list[str] = []
        while True:
            seen = self._module({"watch": watch}, task_vars)
            if seen.get("failed"):
                return {**seen, "events": events}
            for line in seen["events"]:
                display.display(f"  {line}")
            events += seen["events"]
            if seen["ended"]:
                break
            watch = seen["watch"]
            if time.monotonic() > end:
                return {"failed": True, "msg": _timeout(self._task.args, watch, seen["status"]), "events": events}
        if "failure" in seen:
            return {"failed": True, "msg": seen["failure"], "stack_status": seen["status"], "events": events}
        kept = ("stack_id", "stack_status", "outputs")
        return {**{name: seen[name] for name in kept}, "events": events}

    def _module(self, more: Result, task_vars: dict[str, t.Any] | None) -> Result:
        arguments = {**self._task.args, **more}
        name = "fleetwright.gitlab_aws.cloudformation_stack"
        return dict(self._execute_module(module_name=name, module_args=arguments, task_vars=task_vars))


def _added(total: Result, more: Result) -> Result:
    """Both together: what changed in either, all events, and of the rest the later word."""
    return {
        **total,
        **more,
        "changed": bool(total.get("changed")) or bool(more.get("changed")),
        "events": [*total["events"], *more.get("events", [])],
    }


def _timeout(args: Result, watch: Result, status: str) -> str:
    return (
        f"Stack {args.get('stack_name')} is still in status {status} after {args.get('wait_timeout', 3600)} s "
        f"({watch['step']}). CloudFormation goes on with it: run this again, it will be picked up."
    )

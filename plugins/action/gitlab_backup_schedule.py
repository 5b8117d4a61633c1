# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Has a systemd timer make the backups of a GitLab server, without a controller."""

from __future__ import annotations

import json
import shlex
import typing as t

from ansible.errors import AnsibleActionFail
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _backup_pieces
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import (
    _backup_action,
    _backup_host,
    _backup_schedule,
    _host_action,
)

ARGUMENT_SPEC: dict[str, t.Any] = {
    **_backup_action.BACKUP_SPEC,
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "on_calendar": {"type": "str", "default": "*-*-* 02:00:00"},
    "randomized_delay": {"type": "int", "default": 0},
    "s3": {"type": "dict", "options": {**_backup_action.BUCKET_SPEC, "program": {"type": "str", "default": "aws"}}},
}


class ActionModule(_backup_action.BackupAction):
    """gitlab_backup_schedule: one read, a plan, the writes that it needs."""

    def run(self, tmp: str | None = None, task_vars: _host_action.TaskVars = None) -> _host_action.Result:
        result: _host_action.Result = super().run(tmp, task_vars)
        args = self._arguments(ARGUMENT_SPEC)
        if args["randomized_delay"] < 0:
            raise AnsibleActionFail("randomized_delay is a time in seconds: give 0 or more. Nothing was changed.")
        present = args["state"] == "present"
        program = (args["s3"] or {}).get("program")
        wanted = self._wanted(args, program)
        try:
            first = self._first_look()
            calendar = args["on_calendar"] if present else None
            script = _backup_schedule.read(wanted, calendar, program if present else None)
            found = _backup_schedule.parse(self._shell(script, "look at the timer"))
        except _backup_host.HostError as exc:
            raise AnsibleActionFail(f"{exc} Nothing was changed.") from None
        _check(args, found, program)
        plan = _backup_schedule.plan(found, wanted, present=present)
        install = present and not self._is_installed(first)
        if not self._task.check_mode:
            self._apply(plan, install=install, present=present)
        result["changed"] = plan.changed or install
        if self._task.diff:
            result["diff"] = [
                {"before_header": path, "before": found.files.get(path, ""), "after": plan.write.get(path, "")}
                for path in [*plan.write, *plan.remove]
            ]
        return result

    def _wanted(self, args: t.Mapping[str, t.Any], program: str | None) -> dict[str, str]:
        bucket = _backup_action.bucket(args["s3"], program=program) if program else None
        more = {"piece_size": _backup_pieces.TIMER_SIZE} if bucket else {}
        request = _backup_action.request(args, origin="timer", bucket=None, **more)
        data = {**request.as_json(), "bucket": bucket and vars(bucket)}
        settings = json.dumps(data, indent=2, sort_keys=True) + "\n"
        delay = args["randomized_delay"]
        return _backup_schedule.files(_backup_action.STATE_PATH, settings, args["on_calendar"], delay)

    def _apply(self, plan: _backup_schedule.Plan, *, install: bool, present: bool) -> None:
        if install:
            self._install()
        for path, text in plan.write.items():
            self._write_private(path, text)
        if not present and plan.changed:
            self._shell(_backup_schedule.switch(on=False, changed=True), "stop the timer")
            self._shell(f"rm -f -- {' '.join(map(shlex.quote, plan.remove))}", "remove the timer's files")
            self._shell("systemctl daemon-reload", "tell systemd")
        elif plan.changed:
            self._shell(_backup_schedule.switch(on=True, changed=plan.reload), "start the timer")


def _check(args: t.Mapping[str, t.Any], found: _backup_schedule.Found, program: str | None) -> None:
    if found.calendar_error:
        raise AnsibleActionFail(
            f"on_calendar is {args['on_calendar']!r}, which systemd refuses: {found.calendar_error} Nothing was "
            "changed. `systemd-analyze calendar` shows what a time means."
        )
    if found.program_missing:
        raise AnsibleActionFail(
            f"The timer copies with {program}, which is not installed on the host. Nothing was changed. Install the "
            "package awscli (awscli-2 on Amazon Linux), or name the program in s3.program."
        )

#!/usr/bin/python
# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at GitLab's background migrations on the host, for a while."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_background_migrations_look
short_description: Look at the background migrations of the GitLab on a host
version_added: 0.1.0
author: Fleetwright contributors (@fleetwright)
description:
  - Part of M(fleetwright.gitlab_aws.gitlab_background_migrations), which calls it again and again and shows progress.
    Use that one.
extends_documentation_fragment:
  - fleetwright.gitlab_aws.attributes
options:
  wait:
    description: For how many seconds to look again while some are left that may end.
    type: int
    default: 0
  act:
    description: What to do with those that do not end by themselves.
    type: str
    choices: [nothing, resume, finalize]
    default: nothing
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
"""

EXAMPLES = r"""
- name: Look once
  fleetwright.gitlab_aws.gitlab_background_migrations_look:
"""

RETURN = r"""
counts:
  description: How many batched background migrations have each status.
  returned: success
  type: dict
  sample: {finished: 4, finalized: 61, active: 1}
unfinished:
  description: >-
    Those that have neither finished nor been finalized; C(rows) and C(done) count rows of the table, C(progress) is in
    percent and unset where GitLab has not counted them.
  returned: success
  type: list
  elements: dict
  sample: [{database: main, id: 66, status: active, job_class_name: BackfillNotes, table_name: notes, column_name: id,
            job_arguments: "[]", rows: 5000, done: 1250, progress: 25}]
in_queues:
  description: Jobs of background migrations of the older kind, up to GitLab 15.0.
  returned: success
  type: int
  sample: 0
queued_at:
  description: When the newest one was queued, in seconds since 1970.
  returned: success
  type: float
  sample: 1795504809.0
ended:
  description: Whether none is left.
  returned: success
  type: bool
  sample: false
stuck:
  description: Whether waiting can't help, because one has failed, all that are left are paused, or Sidekiq is down.
  returned: success
  type: bool
  sample: false
progress:
  description: One line on what is left.
  returned: success
  type: str
  sample: "background migrations left: 1, now BackfillNotes on notes (25 %)"
remedy:
  description: What to do about what is left.
  returned: success
  type: str
  sample: ""
acted:
  description: Names of those that were resumed or finalized.
  returned: success
  type: list
  elements: str
  sample: []
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import (
    _gitlab_migrations,
    _gitlab_migrations_act,
    _gitlab_psql,
    _gitlab_services,
    _host_command,
)

ARGUMENT_SPEC: dict[str, t.Any] = {
    "wait": {"type": "int", "default": 0},
    "act": {"type": "str", "choices": ["nothing", "resume", "finalize"], "default": "nothing"},
}


def looked(run: _host_command.Run, wait: float, act: str, *, check_mode: bool) -> dict[str, t.Any]:
    """Act where it is asked for, then look; raises OSError, DatabaseError and ActFailed."""
    acted: list[_gitlab_migrations.Migration] = []
    if act != "nothing":
        before = _gitlab_migrations.look(run)
        if check_mode:
            acted = [one for one in before.left if act == "finalize" or one.status in _gitlab_migrations_act.RESUMED]
        elif act == "resume":
            acted = _gitlab_migrations_act.resume(run, before)
        else:
            acted = _gitlab_migrations_act.finalize(run, before, lambda _words: None)
    idle = _idle(run)
    state = _gitlab_migrations.wait(run, 0 if check_mode or idle else wait, lambda _state: None)
    return {
        **state.as_json(),
        "ended": state.ended,
        "stuck": state.stuck or bool(idle and not state.ended),
        "progress": _gitlab_migrations.progress(state),
        "remedy": "" if state.ended else idle or _gitlab_migrations_act.remedy(state),
        "acted": [one.name for one in acted],
        "changed": bool(acted),
    }


def _idle(run: _host_command.Run) -> str:
    """Words where nobody works on them; empty where somebody does, or it can't be said."""
    try:
        down = [one for one in _gitlab_services.services(run) if one.name == "sidekiq" and one.state != "run"]
    except OSError:
        return ""
    return (
        f"Background migrations are left, and Sidekiq, which runs them, does not run ({down[0].detail}). Start it "
        "(gitlab-ctl start sidekiq), then run this again."
        if down
        else ""
    )


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    try:
        found = looked(_host_command.run, module.params["wait"], module.params["act"], check_mode=module.check_mode)
    except _gitlab_migrations_act.ActFailed as exc:
        module.fail_json(msg=str(exc))
    except (OSError, ValueError, _gitlab_psql.DatabaseError) as exc:
        module.fail_json(
            msg=f"Could not look for background migrations: {exc}. PostgreSQL must run (gitlab-ctl status), and this "
            "needs become: true."
        )
    module.exit_json(**found)


if __name__ == "__main__":
    main()

# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the actions on a GitLab server share: the read, the checks of gitlab.rb, long commands and readiness."""

from __future__ import annotations

import time
import typing as t

from ansible.errors import AnsibleActionFail
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import (
    _gitlab_rb_mask,
    _host_action,
    _server_plan,
    _server_run,
    _server_version,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._host_read import HostState

READINESS_MODULE = "fleetwright.gitlab_aws.gitlab_server_readiness"
SHOW_SECONDS = 15.0
# How long one look for readiness may stay on the host.
READY_LOOK_SECONDS = 15

# What gitlab.rb is to say.
CONFIG_SPEC: dict[str, t.Any] = {
    "external_url": {"type": "str", "required": True},
    "config": {"type": "dict", "default": {}},
    "config_extra": {"type": "str", "default": "", "no_log": True},
    "replace_config": {"type": "bool", "default": False},
}
WAIT_SPEC: dict[str, t.Any] = {
    "timeout": {"type": "int", "default": 7200},
    "ready_timeout": {"type": "int", "default": 900},
}


class ServerAction(_host_action.HostAction):
    """An action that looks at a GitLab server or changes it."""

    def _read_server(self) -> HostState:
        return self._read_host(
            _server_plan.CONFIG,
            service=_server_plan.SUPERVISOR,
            packages=(_server_version.PROGRAM, *_server_plan.OTHER_EDITIONS),
            files=_server_plan.paths(),
            times=_server_plan.marks(),
        )

    def _settled(self, timeout: float) -> HostState:
        """The host's state, once nothing that an earlier run began is under way."""
        state = self._read_server()
        if _server_plan.RUNNING not in state.written or self._task.check_mode:
            return state
        self._say("waiting for the installation or reconfigure of an earlier run")
        self._watch("the installation or reconfigure of an earlier run", timeout)
        return self._read_server()

    def _check_syntax(self, state: HostState, text: str) -> None:
        """Let the package's own Ruby read the text, where there is one. Raises AnsibleActionFail."""
        if _server_plan.RUBY not in state.written or state.config.content == text.encode():
            return
        with self._unseen():
            answer = self._low_level_execute_command(
                f't=$(mktemp) && cat > "$t" && {_server_plan.RUBY} -c "$t" 2>&1; s=$?; rm -f "$t"; exit $s',
                in_data=text.encode(),
            )
        if answer["rc"] != 0:
            words = _gitlab_rb_mask.masked(answer["stdout"].strip(), more=_gitlab_rb_mask.secrets(text))
            raise AnsibleActionFail(
                f"Nothing was changed: Ruby on the host refuses the new gitlab.rb: {words[-600:]} Correct "
                "gitlab_server_config_extra."
            )

    def _run_long(self, script: str, doing: str, timeout: float) -> _server_run.Look:
        """Run a script to its end as a unit of its own, with progress."""
        self._do(_server_run.start(), f"start {doing}", script)
        return self._watch(doing, timeout)

    def _watch(self, doing: str, timeout: float) -> _server_run.Look:
        started = shown = time.monotonic()
        while True:
            look = _server_run.parse(self._do(_server_run.look(), f"watch {doing}"))
            now = time.monotonic()
            if not look.running:
                return look
            if now - started > timeout:
                raise AnsibleActionFail(
                    f"{doing} still runs after {timeout:g} s, and goes on on the host, in a unit {_server_run.UNIT}-* "
                    f"(its output: {_server_plan.FOLDER}/run.log). Run this again to wait on, or raise timeout."
                )
            if now - shown >= SHOW_SECONDS:
                shown = now
                self._say(f"{doing}: {now - started:.0f} s, {_gitlab_rb_mask.masked(look.last_line)}")

    def _await_ready(self, timeout: float, task_vars: _host_action.TaskVars) -> _host_action.Result:
        """Wait until GitLab is ready, with progress. Raises AnsibleActionFail with what its services say."""
        started = shown = time.monotonic()
        while True:
            left = max(0.0, started + timeout - time.monotonic())
            found = self._on_host(READINESS_MODULE, {"wait": int(min(READY_LOOK_SECONDS, left))}, task_vars)
            now = time.monotonic()
            if found["ready"]:
                self._remove(_server_plan.AWAITED)
                return found
            if now - started >= timeout:
                raise AnsibleActionFail(
                    f"GitLab is not ready after {timeout:g} s: {found['message']}. Services that do not run: "
                    f"{'; '.join(found['not_running']) or 'none'}. Look at gitlab-ctl tail on the host; then run this "
                    "again, which waits on, or raise gitlab_server_ready_timeout."
                )
            if now - shown >= SHOW_SECONDS:
                shown = now
                self._say(f"waiting for GitLab to be ready: {now - started:.0f} s, {found['message']}")

    def _first_password(self, before: HostState) -> _host_action.Result:
        """Where a server that was made since finds its first password."""
        made = _server_plan.FIRST_PASSWORD not in before.written
        there = made and _server_plan.FIRST_PASSWORD in self._read_server().written
        return {"first_password_file": _server_plan.FIRST_PASSWORD} if there else {}

    def _hide(self, state: HostState, words: str) -> str:
        """Words of GitLab without the secrets of its configuration."""
        text = (state.config.content or b"").decode("utf-8", "replace")
        return _gitlab_rb_mask.masked(words, more=_gitlab_rb_mask.secrets(text))

    def _reconfigure_failed(self, state: HostState, look: _server_run.Look, what: str) -> t.NoReturn:
        raise AnsibleActionFail(
            f"{what}: {self._hide(state, _server_run.reason(look.log)) or 'it left no output'}. Its whole output is "
            f"{_server_plan.FOLDER}/run.log on the host, its log in {_server_run.RECONFIGURE_LOGS}. Mend what it names "
            "(gitlab_server_config, disk, memory), then run this again: the reconfigure is repeated."
        )

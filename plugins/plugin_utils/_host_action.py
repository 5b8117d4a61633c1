# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the action plugins share: the read of the host, and modules run there without showing secrets."""

from __future__ import annotations

import contextlib
import dataclasses
import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import (
    _config_check,
    _config_plan,
    _host_read,
    _host_write,
    _task_arguments,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _config_schema as schema
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._toml_edit import TomlError, parse

WRITE_MODULE = "fleetwright.gitlab_aws.gitlab_runner_config_write"
WRITE_TRIES = 5

Result = dict[str, t.Any]
TaskVars = t.Optional[dict[str, t.Any]]


@dataclasses.dataclass(frozen=True)
class Target:
    """Which config.toml, and whose daemon reads it."""

    path: str
    service: str
    backup_count: int = 3
    allow_unknown_keys: bool = False


class HostAction(ActionBase):
    """An action that thinks on the controller; the host gets one small read and, for a change, one small write."""

    _requires_connection = True
    _host_name = ""

    def run(self, tmp: str | None = None, task_vars: TaskVars = None) -> Result:
        self._host_name = str((task_vars or {}).get("inventory_hostname", ""))
        return t.cast(Result, super().run(tmp, task_vars))

    def _say(self, words: str) -> None:
        """Tell people at once how things go."""
        Display().display(f"[{self._host_name}] {words}")

    def _do(self, command: str, attempt: str, stdin: str | None = None) -> str:
        """Run one command on the host; its failure is the task's."""
        with self._unseen():
            answer = self._low_level_execute_command(
                f"export LC_ALL=C\n{command}", in_data=None if stdin is None else stdin.encode()
            )
        if answer["rc"] != 0:
            words = (answer.get("stderr") or answer.get("stdout") or "").strip()[-600:]
            raise AnsibleActionFail(f"Could not {attempt}: {words or 'exit status ' + str(answer['rc'])}.")
        return str(answer["stdout"]).replace("\r\n", "\n")  # ssh gives the host a terminal

    @classmethod
    def finalize_task_arg(cls, name: str, value: t.Any, templar: t.Any, context: t.Any) -> t.Any:
        """Ansible's hook for a task's arguments, experimental there: a version without it only takes longer."""
        if name == "runners":
            return _task_arguments.entries(value, templar)
        return super().finalize_task_arg(name, value, templar, context)

    @contextlib.contextmanager
    def _unseen(self) -> t.Iterator[None]:
        """Keep what is sent and answered out of -vvv: the ssh connection shows it unless the play forbids it."""
        before = self._play_context.no_log
        self._play_context.no_log = True
        try:
            yield
        finally:
            self._play_context.no_log = before

    def _arguments(self, spec: dict[str, t.Any]) -> Result:
        """The task's checked arguments.

        Every string that came from YAML is a tagged object; copying fifty entries of them takes Ansible's own check
        30 ms, plain ones half a millisecond. Templating is over here, so the tags have done their work.
        """
        self._task.args = _task_arguments.plain(self._task.args)
        return t.cast(Result, self.validate_argument_spec(spec)[1])

    def _read_host(
        self,
        config_path: str,
        *,
        service: str | None = None,
        packages: t.Sequence[str] = (),
        files: t.Sequence[str] = (),
        times: t.Sequence[str] = (),
    ) -> _host_read.HostState:
        """Read the host by one shell command; no module runs there."""
        with self._unseen():
            answer = self._low_level_execute_command(
                _host_read.command(config_path, service=service, packages=packages, files=files, times=times)
            )
        try:
            return _host_read.parse(answer["stdout"], config_path)
        except _host_read.HostReadError as exc:
            words = (answer.get("stderr") or "").strip()[-300:]
            raise AnsibleActionFail(f"{exc}{' The host said: ' + words if words else ''}") from None

    def _write_private(self, path: str, text: str) -> None:
        """Write a small file of ours in one round trip: complete on disk, mode 0600, before this returns."""
        with self._unseen():
            answer = self._low_level_execute_command(_host_write.command(path, text), in_data=text.encode())
        if answer["rc"] != 0:
            words = (answer.get("stderr") or answer.get("stdout") or "").strip()[-300:]
            raise AnsibleActionFail(
                f"Could not write {path} on the host: {words}. Nothing was changed. "
                "Check space and permissions of its directory, and become: true."
            )

    def _remove(self, path: str) -> None:
        """Remove a file of ours; one that is gone already is no error."""
        with self._unseen():
            self._low_level_execute_command(_host_write.removal(path))

    def _on_host(self, module: str, arguments: Result, task_vars: TaskVars) -> Result:
        """Run a module on the host; its failure is the task's."""
        with self._unseen():
            result = dict(self._execute_module(module_name=module, module_args=arguments, task_vars=task_vars))
        result.pop("invocation", None)
        if result.get("failed"):
            raise AnsibleActionFail(str(result.get("msg", "the module failed without a message")), result=result)
        return result

    def _write_config(
        self,
        target: Target,
        state: _host_read.HostState,
        wanted: _config_plan.Wanted,
        task_vars: TaskVars,
        planned: _config_plan.ConfigPlan | None = None,
    ) -> tuple[_config_plan.ConfigPlan, Result]:
        """Plan the file and write it; where someone changes it meanwhile, plan again from what they wrote.

        planned is the plan of this state, where the caller has made it already.
        What was written counts as done when it is all there in the end, beside whatever others wrote.
        """
        done: tuple[_config_plan.ConfigPlan, Result] | None = None
        for tries in range(WRITE_TRIES + 1):
            plan = planned if planned and not tries else self._plan_config(state, wanted)
            if not plan.changed or self._task.check_mode:
                return done or (plan, {})
            if tries == WRITE_TRIES:
                break
            # The whole earlier text travels only where someone else is at work.
            base = {"base": plan.before} if tries else {}
            result = self._on_host(WRITE_MODULE, {**self._write_arguments(target, state, plan), **base}, task_vars)
            done = done if result["conflict"] or done else (plan, result)
            if not (result["conflict"] or result["overwritten"] or result["merged"]):
                return done or (plan, result)
            state = self._read_host(target.path)
        raise AnsibleActionFail(
            f"Could not write {target.path}: it was changed by someone else {WRITE_TRIES} times while this task wrote "
            f"it. Missing there: {', '.join(plan.changes)}. Look for what else rewrites the file, then run this again."
        )

    def _plan_config(self, state: _host_read.HostState, wanted: _config_plan.Wanted) -> _config_plan.ConfigPlan:
        try:
            return _config_plan.plan(text_of(state.config), wanted, state.config.path)
        except (TomlError, _config_plan.PlanError) as exc:
            raise AnsibleActionFail(str(exc)) from None

    def _write_arguments(
        self, target: Target, state: _host_read.HostState, plan: _config_plan.ConfigPlan
    ) -> dict[str, t.Any]:
        config = plan.wanted if target.allow_unknown_keys else plan.config
        return {
            "path": state.config.path,
            "content": plan.text,
            "expect_sha256": state.config.sha256,
            "backup_count": target.backup_count,
            "service": target.service,
            "allowed_unknown_keys": list(_config_check.unknown_keys(config, schema.GLOBAL)),
        }


def text_of(config: _host_read.ConfigFile) -> str | None:
    """The file's text; raises AnsibleActionFail where it is no UTF-8, which the daemon refuses too."""
    if config.content is None:
        return None
    try:
        return config.content.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise AnsibleActionFail(
            f"{config.path} is not UTF-8 (byte {exc.start}), so gitlab-runner can't load it either. "
            "Nothing was changed. Repair the file by hand, or put back a backup of it."
        ) from None


def parsed(config: _host_read.ConfigFile) -> dict[str, t.Any]:
    """The file's meaning; an absent file means nothing."""
    try:
        return parse(text_of(config) or "", config.path)
    except TomlError as exc:
        raise AnsibleActionFail(str(exc)) from None

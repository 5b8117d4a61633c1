# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries out an upgrade and its way back, step by step, each announced in the journal on the host before it begins."""

from __future__ import annotations

import dataclasses
import re
import shlex
import time
import typing as t

from ansible.errors import AnsibleActionFail
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _runner_host
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_errors import GitLabError
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import (
    _config_check,
    _drain,
    _drain_action,
    _host_action,
    _host_read,
    _interrupts,
    _status,
    _upgrade_config,
    _upgrade_host,
    _upgrade_plan,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _config_schema as schema
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._host_read import HostState
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._upgrade_plan import Journal, Packages, Step

WRITE_TRIES = 3
# What a step may fail with, in words for people.
FAILURES = (
    AnsibleActionFail, GitLabError, _drain.DrainError, _upgrade_plan.UpgradeError, _upgrade_config.BackupError,
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Situation:
    """One task's host: what was asked for and what was read."""

    args: _host_action.Result
    ask: _drain_action.Ask
    state: HostState
    journal: Journal | None
    task_vars: _host_action.TaskVars

    @property
    def service(self) -> str:
        return self.ask.service

    @property
    def now(self) -> Packages:
        found = _upgrade_plan.installed(self.state.packages)
        if found is None:
            raise AnsibleActionFail(
                "gitlab-runner is not installed here. Nothing was changed. Run runner_install first."
            )
        return found


@dataclasses.dataclass
class Times:
    """When the host came to rest, and how long the packages took: what is left is idle for no reason."""

    rest: float = 0.0
    packages: float = 0.0
    idle: float = 0.0


class UpgradeAction(_drain_action.DrainAction):
    """An action that changes the packages under a runner at work."""

    def _situation(self, args: _host_action.Result, task_vars: _host_action.TaskVars) -> Situation:
        state = self._read_all(args["config_path"], args["service"])
        path = _upgrade_plan.journal_path(args["service"])
        journal = _upgrade_plan.loaded(state.files.get(path), path)
        return Situation(args, self._ask(args, state), state, journal, task_vars)

    def _read_all(self, config_path: str, service: str) -> HostState:
        files = (_drain.journal_path(service), _upgrade_plan.journal_path(service))
        return self._read_host(config_path, service=service, packages=_host_read.PACKAGES, files=files)

    def _note(self, now: Situation, journal: Journal) -> Journal:
        """Announce a step on the host before it begins."""
        self._write_private(_upgrade_plan.journal_path(now.service), journal.dumped())
        return journal

    def _advance(self, now: Situation, journal: Journal, times: Times) -> None:
        """Go through every step to the journal's goal; each is done again without harm when an earlier run did it."""
        journal = self._note(now, journal.at(Step.DRAIN))
        self._do(_upgrade_host.wait_for_other(now.service), "wait for the package transaction of an earlier run")
        self._come_to_rest(now, journal)
        times.rest = time.monotonic()
        journal = self._note(now, journal.at(Step.PACKAGES))
        times.packages = self._change_packages(now, journal)
        journal = self._note(now, journal.at(Step.VERIFY))
        self._verify(now, journal)
        journal = self._note(now, journal.at(Step.RESUME))
        self._back_to_work(now, journal)
        times.idle = time.monotonic() - times.rest - times.packages
        self._note(now, journal.ended())

    def _left(self, now: Situation, state: HostState) -> _drain.Journal | None:
        path = _drain.journal_path(now.service)
        return _drain.loaded(state.files.get(path), path)

    def _come_to_rest(self, now: Situation, journal: Journal) -> None:
        state = self._read_all(now.ask.config_path, now.service)
        plan, look = self._plan_drain(now.ask, state, self._left(now, state))
        if plan.changed:
            self._say(f"draining {now.service} ({plan.way.value}) on the way to {journal.goal.version}")
            self._drain(now.ask, plan, look)
        if journal.back and now.args["restore_config"]:
            self._config_back(now, journal)

    def _change_packages(self, now: Situation, journal: Journal) -> float:
        state = self._read_all(now.ask.config_path, now.service)
        present = _upgrade_plan.installed(state.packages) or journal.goal
        self._say(f"changing the packages from {present.version} to {journal.goal.version}")
        script = _upgrade_host.script(now.service, journal, present, lock=now.args["version_lock"])
        answer = self._do(_upgrade_host.run_transaction(now.service, script), "run the package transaction", script)
        done = _upgrade_host.done(answer)
        if done.status != 0:
            raise AnsibleActionFail(f"dnf could not install {' '.join(journal.goal.specs())}: {done.log[-800:]}.")
        return done.seconds

    def _verify(self, now: Situation, journal: Journal) -> None:
        """The program, the process and the configuration, each by its own word; raises AnsibleActionFail."""
        look = self._healthy(now.service) if journal.active else self._look(now.service)
        if not journal.back:
            self._config_back(now, journal)
        state = self._read_all(now.ask.config_path, now.service)
        found = _upgrade_plan.Finding(
            _upgrade_plan.installed(state.packages), self._reported(), look.program, self._refused(now, state)
        )
        wrong = _upgrade_plan.faults(journal, found)
        if journal.active and not look.running:
            wrong.append(f"the service does not run (systemd says {look.active_state})")
        if wrong:
            raise AnsibleActionFail(f"After changing the packages to {journal.goal.version}: {'; '.join(wrong)}.")

    def _reported(self) -> str | None:
        answer = self._low_level_execute_command("gitlab-runner --version")
        found = re.search(r"^Version:\s+(.+?)\s*$", answer["stdout"], re.MULTILINE)
        return found.group(1) if answer["rc"] == 0 and found else None

    def _refused(self, now: Situation, state: HostState) -> tuple[str, ...]:
        """Names of the entries whose token GitLab refuses, as the program on the host finds."""
        if not now.args["verify"]:
            return ()

        def run(argv: t.Sequence[str]) -> tuple[int, str, str]:
            with self._unseen():
                answer = self._low_level_execute_command(" ".join(map(shlex.quote, argv)))
            return answer["rc"], answer["stdout"], answer.get("stderr") or ""

        entries = _status.entries(_host_action.parsed(state.config))
        verdicts = _status.runners(entries, _runner_host.verified(run, now.ask.config_path), {}) if entries else []
        return tuple(str(one["name"]) for one in verdicts if one["verified"] == "refused")

    def _back_to_work(self, now: Situation, journal: Journal) -> None:
        """Let the runners have jobs again, where they had before."""
        left = self._left(now, self._read_all(now.ask.config_path, now.service))
        if left is None:
            return
        if journal.active:
            self._resume(now.ask, left)
        elif not left.paused and not left.active:
            self._remove(_drain.journal_path(now.service))

    def _config_back(self, now: Situation, journal: Journal) -> None:
        """Put the configuration back where it no longer says what it said before the upgrade."""
        try:
            kept = self._read_backup(now.service, journal.backup.rpartition("/")[2])
        except _upgrade_config.BackupError as exc:
            if not journal.back:
                raise
            self._say(f"{exc} Going back without it: the configuration stays as it is.")
            return
        if kept.text is not None:
            self._restore(now.ask, kept.text, now.task_vars)

    def _read_backup(self, service: str, name: str) -> _upgrade_config.Backup:
        output = self._do(_upgrade_host.read_backup(service, name), "read the backup of the configuration")
        return _upgrade_config.parse(output, f"{_drain.folder(service)}/backups")

    def _restore(self, ask: _drain_action.Ask, kept: str, task_vars: _host_action.TaskVars) -> bool:
        """Write a kept configuration, unless the present one means the same; says whether it did."""
        for _try in range(WRITE_TRIES):
            state = self._read_host(ask.config_path)
            before = _host_action.text_of(state.config) or ""
            text = _upgrade_config.restored(kept, before, state.config.path)
            if state.config.content is not None and _upgrade_config.same(text, before, state.config.path):
                return False
            if self._task.check_mode:
                return True
            result = self._on_host(_host_action.WRITE_MODULE, _writing(ask, state, text), task_vars)
            if not result["conflict"] and not result["overwritten"]:
                return True
        raise AnsibleActionFail(
            f"Could not put {ask.config_path} back: someone else changed it {WRITE_TRIES} times meanwhile. Look for "
            "what rewrites the file, then run this again."
        )

    def _backup(self, now_config: str, service: str, *, count: int, kept: str = "") -> str:
        """Copy configuration, system id and unit with a manifest; returns its folder."""
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        command = _upgrade_host.backup(service, now_config, stamp, count=count, kept=kept)
        self._do(command, f"back up {now_config}")
        return _upgrade_host.backup_path(service, stamp)

    def _undone_upgrade(self, now: Situation, journal: Journal, error: Exception) -> t.NoReturn:
        """Put everything back after a failed step, and raise what happened."""
        back = dataclasses.replace(journal, back=True, reason=str(error)[:500])
        self._say(f"{error} Going back to {journal.was.version}.")
        always = dataclasses.replace(now, args={**now.args, "restore_config": True})
        try:
            with _interrupts.uninterrupted():
                self._advance(always, back, Times())
        except FAILURES as second:
            raise AnsibleActionFail(
                f"{error} Going back to {journal.was.version} failed too: {second} When that is mended, run "
                "runner_rollback, or runner_upgrade again."
            ) from None
        state = "runs" if journal.active else "is stopped"
        raise AnsibleActionFail(
            f"{error} Everything was put back: gitlab-runner {journal.was.version} is installed, its configuration is "
            f"as before, and the service {state} as before."
        ) from None


def _writing(ask: _drain_action.Ask, state: HostState, text: str) -> dict[str, t.Any]:
    config = _host_action.parsed(dataclasses.replace(state.config, content=text.encode()))
    return {
        "path": state.config.path,
        "content": text,
        "expect_sha256": state.config.sha256,
        "service": ask.service,
        "allowed_unknown_keys": list(_config_check.unknown_keys(config, schema.GLOBAL)),
    }

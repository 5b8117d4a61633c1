# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries out a drain and its undoing, for every action that takes a runner service down."""

from __future__ import annotations

import contextlib
import dataclasses
import shlex
import time
import typing as t

from ansible.errors import AnsibleActionFail
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_api import GitLab
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_errors import GitLabError
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import (
    _drain,
    _drain_read,
    _drain_stop,
    _gitlab_options,
    _host_action,
    _host_write,
    _interrupts,
    _managed_files,
    _status,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._drain import Journal, Plan, Way
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._drain_gitlab import Control
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._drain_read import Look, Until
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._host_read import HostState

LOOK_SECONDS = 3.0
SHOW_SECONDS = 15.0
# A signal in the daemon's first moments kills it (runner facts 3.1).
SETTLED_SECONDS = 2.0
ABORT_SECONDS = 90.0
# How long a request for a job may be under way, and how long GitLab's count of running jobs is believed.
REQUEST_SECONDS = 2.0
COUNT_SECONDS = 30.0

ARGUMENT_SPEC: dict[str, t.Any] = {
    **_gitlab_options.ARGUMENT_SPEC,
    "api_url": {"type": "str"},
    "config_path": {"type": "path", "default": "/etc/gitlab-runner/config.toml"},
    "service": {"type": "str", "default": "gitlab-runner"},
    "drain_timeout": {"type": "int", "default": 7200},
    "on_timeout": {"type": "str", "choices": ["fail", "abort"], "default": "fail"},
    "stop_timeout": {"type": "int", "default": 7200},
}


@dataclasses.dataclass(frozen=True)
class Ask:
    """One drain as a task asks for it; times are in seconds."""

    config_path: str
    service: str
    timeout: float
    abort: bool
    stop_timeout: int
    control: Control | None = None

    @property
    def unit(self) -> str:
        return shlex.quote(f"{self.service}.service")


class DrainAction(_host_action.HostAction):
    """Looks at a runner service, brings it to rest without losing a job, and back to work."""

    def _ask(self, args: _host_action.Result, state: HostState) -> Ask:
        control = None
        if args["api_url"] and args["api_token"]:
            gitlab = GitLab(_gitlab_options.endpoint(args))
            control = Control(gitlab, max(1, args["connections"]), state.system_id)
        return Ask(
            args["config_path"], args["service"], float(args["drain_timeout"]), args["on_timeout"] == "abort",
            args["stop_timeout"], control,
        )  # fmt: skip

    def _look(self, service: str, until: Until = Until.NOW, seconds: float = 0.0) -> Look:
        answer = self._low_level_execute_command(_drain_read.command(service, until, seconds))
        try:
            return _drain_read.parse(answer["stdout"])
        except _drain_read.LookError as exc:
            words = (answer.get("stderr") or "").strip()[-300:]
            raise AnsibleActionFail(f"{exc}{' The host said: ' + words if words else ''}") from None

    def _plan_drain(self, ask: Ask, state: HostState, left: Journal | None) -> tuple[Plan, Look]:
        look = self._look(ask.service)
        standings = None
        if ask.control and look.running:
            entries = _status.entries(_host_action.parsed(state.config))
            standings = ask.control.standings(entries, check_mode=self._task.check_mode)
        plan = _drain.plan(look, standings, left)
        for reason in plan.reasons:
            self._say(f"{reason}: not paused in GitLab, drained by the service alone")
        return plan, look

    def _drain(self, ask: Ask, plan: Plan, look: Look) -> Look:
        """Bring the service to rest; when that fails or is interrupted, everything is put back as it was."""
        if plan.way in (Way.PAUSED, Way.SERVICE):
            look = self._make_stop_drain(ask, look)
        self._write_private(_drain.journal_path(ask.service), plan.journal.dumped())
        with self._undoing(ask, plan.journal):
            return self._brought_to_rest(ask, plan, look)

    def _brought_to_rest(self, ask: Ask, plan: Plan, look: Look) -> Look:
        started = time.monotonic()
        if plan.way is Way.PAUSED and ask.control:
            ask.control.set_paused(plan.pause, True)
            look = self._wait_idle(ask, plan, started)
        if plan.way is not Way.NOTHING:
            look = self._stop(ask, plan, look, started)
        if look.result == "timeout":
            raise AnsibleActionFail(
                f"systemd killed {ask.service} because its stop took too long (TimeoutStopSec), so jobs were lost. "
                "Raise stop_timeout."
            )
        if look.active_state == "failed":
            self._do(f"systemctl reset-failed {ask.unit}", "clear the failed state of the service")
        return look

    def _make_stop_drain(self, ask: Ask, look: Look) -> Look:
        """Put the drop-in in place where a stop would kill jobs; where it has no effect, the signal is sent by hand."""
        if look.stop_drains and not _drain.too_short(look, ask.timeout):
            return look
        managed = _managed_files.drain(ask.service, max(ask.stop_timeout, round(ask.timeout)))
        path = shlex.quote(managed.path)
        whole = _host_write.whole(f"{path}.new", managed.content)
        self._do(
            f"d=$(dirname {path}); mkdir -p \"$d\" && cat > {path}.new && {whole} && chmod 0644 {path}.new "
            f"&& sync {path}.new && mv -f {path}.new {path} && systemctl daemon-reload",
            f"write {managed.path}",
            managed.content,
        )  # fmt: skip
        return self._look(ask.service)

    def _wait_idle(self, ask: Ask, plan: Plan, started: float) -> Look:
        """Wait, paused, until no job runs: a pause can be taken back, the SIGQUIT of a stop can't.

        A stop cancels a request for a job that is under way (runner facts 3.1), and a job that GitLab has given out by
        then is lost. So nobody is stopped in the first moments of a pause, nor while GitLab counts a job of the runner.
        """
        shown, paused = 0.0, time.monotonic()
        quiet: float | None = None
        while True:
            look = self._look(ask.service, Until.IDLE, _at_most(ask.timeout, started))
            now = time.monotonic()
            if not look.running:
                return look
            quiet = None if look.jobs else quiet or now
            busy = self._busy(ask, plan, look, 0.0 if quiet is None else now - quiet)
            if not busy and now - paused >= REQUEST_SECONDS:
                return look
            shown = self._show(look, now - started, shown, ask) if busy else shown
            if busy and now - started > ask.timeout:
                if ask.abort:
                    return look
                raise AnsibleActionFail(_out_of_time(look, ask))
            if not look.jobs:
                time.sleep(LOOK_SECONDS if look.jobs is None and busy else REQUEST_SECONDS / 4)

    def _busy(self, ask: Ask, plan: Plan, look: Look, quiet: float) -> bool:
        """Whether a job runs; GitLab's count is believed for a while only, as a job lost long ago is in it too."""
        if look.jobs or (look.jobs is None and look.processes):
            return True
        known = look.jobs is not None
        return ask.control is not None and not (known and quiet > COUNT_SECONDS) and ask.control.busy(plan.watched)

    def _tell(self, ask: Ask, plan: Plan, look: Look) -> None:
        """Tell the service to take no more jobs and to end when those it has are done."""
        if 0 < look.age < SETTLED_SECONDS:
            time.sleep(SETTLED_SECONDS - look.age)
        by_hand = look.running and not (look.stop_drains and not _drain.too_short(look, ask.timeout))
        if plan.way is Way.SERVICE and look.running:
            self._write_private(_drain_stop.permit_path(ask.service), _drain_stop.PERMIT)
            command = _drain_stop.command(ask.service, ask.timeout, by_hand=by_hand)
            self._do(command, "tell the runner to take no more jobs")
        elif by_hand:
            self._do(f"kill -QUIT {look.main_pid}", "tell the runner to take no more jobs")
        elif not look.draining:
            self._do(f"systemctl stop --no-block {ask.unit}", "stop the service")

    def _stop(self, ask: Ask, plan: Plan, look: Look, started: float) -> Look:
        """Stop the service; its jobs end first, because only the main process gets the SIGQUIT."""
        self._tell(ask, plan, look)
        shown, until = 0.0, ask.timeout
        while True:
            look = self._look(ask.service, Until.STOPPED, _at_most(until, started))
            if look.active_state in ("inactive", "failed"):
                return look
            waited = time.monotonic() - started
            if look.waits_for_restart:  # ended after the signal by hand: systemd must not start it again
                self._do(f"systemctl stop {ask.unit}", "keep the service stopped")
                continue
            shown = self._show(look, waited, shown, ask)
            if waited > until:
                if not ask.abort or until > ask.timeout:
                    raise AnsibleActionFail(_out_of_time(look, ask))
                until = waited + ABORT_SECONDS
                self._do(_drain_stop.abort(ask.service), "abort the jobs that were left")

    def _show(self, look: Look, waited: float, shown: float, ask: Ask) -> float:
        """Say what is waited for, now and then; returns when it was said last."""
        if shown and waited - shown < SHOW_SECONDS:
            return shown
        self._say(_drain.progress(look, waited, ask.timeout))
        return waited or 0.001

    @contextlib.contextmanager
    def _undoing(self, ask: Ask, journal: Journal) -> t.Iterator[None]:
        """Undo the drain when what is inside fails or the run is told to end."""
        try:
            with _interrupts.interruptible():
                yield
        except BaseException as exc:
            with _interrupts.uninterrupted():
                rest = self._undone(ask, journal)
            if isinstance(exc, (AnsibleActionFail, GitLabError)):
                raise AnsibleActionFail(f"{exc} {rest}") from None
            raise

    def _undone(self, ask: Ask, journal: Journal) -> str:
        """Put the service and the runners back; says what became of it."""
        try:
            self._remove(_drain_stop.permit_path(ask.service))  # first: what waits on the host must not stop it later
            look = self._look(ask.service)
            if journal.active and not look.running:
                # While it still drains, the start waits for the end of the last job.
                self._do(
                    f"systemctl reset-failed {ask.unit} 2>/dev/null; systemctl start --no-block {ask.unit}",
                    "start the service again",
                )
            self._unpause(ask, journal)
            self._remove(_drain.journal_path(ask.service))
        except (AnsibleActionFail, GitLabError) as exc:
            return f"Undoing the drain failed too: {exc} Run gitlab_runner_drain with state: resumed."
        if look.draining and journal.active:
            return "The drain was undone: the service finishes the jobs it has, then starts again."
        return "The drain was undone: everything is as it was before."

    def _unpause(self, ask: Ask, journal: Journal) -> None:
        if not journal.paused:
            return
        if ask.control is None:
            raise AnsibleActionFail(
                f"Runners {list(journal.paused)} are still paused in GitLab by an earlier drain, and there is no "
                "api_url and api_token to unpause them. Run this again with both, or unpause them in GitLab and remove "
                f"{_drain.journal_path(ask.service)} on the host."
            )
        ask.control.set_paused(journal.paused, False)

    def _resume(self, ask: Ask, journal: Journal) -> Look:
        """Start what was running, look that it stays up, then let GitLab give it jobs again."""
        look = self._look(ask.service)
        if journal.active and not look.running:
            self._do(f"systemctl reset-failed {ask.unit} 2>/dev/null; systemctl start {ask.unit}", "start the service")
        if journal.active:
            look = self._healthy(ask.service)
        self._unpause(ask, journal)
        self._remove(_drain.journal_path(ask.service))
        return look

    def _healthy(self, service: str) -> Look:
        """The service, once its process has stayed up for a moment; raises AnsibleActionFail when it does not."""
        first = look = self._look(service)
        until = time.monotonic() + 2 * SETTLED_SECONDS
        while time.monotonic() < until:
            if look.running and look.main_pid == first.main_pid and look.age >= SETTLED_SECONDS:
                return look
            time.sleep(0.5)
            look = self._look(service)
        raise AnsibleActionFail(
            f"{service} does not stay up (systemd says {look.active_state}, {look.sub_state}, {look.result}). "
            f"Look at `journalctl -u {service}` on the host."
        )


def _at_most(limit: float, started: float) -> float:
    """How long one look may wait on the host, so that the limit is kept."""
    return max(0.0, min(LOOK_SECONDS, started + limit - time.monotonic() + _drain_read.PAUSE))


def _out_of_time(look: Look, ask: Ask) -> str:
    left = ", ".join(job.url for job in look.jobs or ()) or "jobs that the service does not name"
    return (
        f"After {ask.timeout:.0f} seconds {ask.service} still runs {left}. Raise the time to wait, or choose "
        "on_timeout: abort to end these jobs."
    )

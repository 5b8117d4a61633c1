# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One job from its arrival to its last report."""

from __future__ import annotations

import threading
import time
import typing as t

from ..config import Entry
from ..daemon.manager import Manager
from ..daemon.polling import Job, clean_url
from ..daemon.workers import Build
from ..golang import Duration
from ..traits import Trait
from . import executors, script
from .calls import JobCalls
from .outcome import JobFailed, Outcome, system_failure
from .process import Process
from .trace import Trace

LOG_LIMIT_KB = 4096
DEFAULT_TIMEOUT = 3600
CYAN, RED, YELLOW, GREEN, CLEAR, RESET = "\033[36;1m", "\033[31;1m", "\033[0;33m", "\033[32;1m", "\033[0K", "\033[0;m"
AFTER_SCRIPT_STOPPED = "after_script failed, but job will continue unaffected: context canceled"
CLEANUP_STOPPED = "Error while executing file based variables removal script"


class JobRunner:
    """Runs what a poll brought."""

    def __init__(self, manager: Manager) -> None:
        self._manager = manager

    def run(self, entry: Entry, job: Job) -> Outcome:
        return RunningJob(self._manager, entry, job).run()


class RunningJob:
    """A job and everything it has under way."""

    def __init__(self, manager: Manager, entry: Entry, job: Job) -> None:
        self._manager = manager
        self._entry = entry
        self._job = job
        self._short = manager.short(entry)
        self._url = clean_url((job.get("git_info") or {}).get("repo_url", ""))
        self._info = job.get("job_info") or {}
        self._process = Process()
        self._stopped: t.Optional[JobFailed] = None
        self._silent = False
        self._interrupted = False
        variables = job.get("variables") or []
        self._variables = {item["key"]: str(item.get("value", "")) for item in variables}
        secrets = [str(item.get("value", "")) for item in variables if item.get("masked")] + [job["token"]]
        limit = entry.get("output_limit") or LOG_LIMIT_KB
        self._trace = Trace(JobCalls(manager, entry, job), secrets, limit * 1024, self._server_says)
        self._build = Build(
            job["id"],
            self._url.removesuffix(".git") + f"/-/jobs/{job['id']}",
            self._short,
            entry,
            manager.builds.free_slot(self._short),
            self.abort,
        )
        project = self._variables.get("CI_PROJECT_PATH") or f"project-{self._info.get('project_id', 0)}"
        self._executor = executors.make(entry, manager.user, self._variables)
        self._project = project

    def run(self) -> Outcome:
        manager, build = self._manager, self._build
        manager.builds.add(build)
        if manager.aborted_by:
            self.abort("aborted", manager.aborted_by)
        self._log_list("Added job to processing list")
        self._trace.start()
        timeout = (self._job.get("runner_info") or {}).get("timeout") or DEFAULT_TIMEOUT
        clock = threading.Timer(
            timeout,
            self._stop,
            (
                JobFailed(
                    Outcome(
                        "failed",
                        f": execution took longer than {Duration.seconds(timeout)} seconds",
                        "job_execution_timeout",
                    )
                ),
            ),
        )
        clock.daemon = True
        clock.start()
        try:
            outcome = self._execute()
        finally:
            clock.cancel()
        self._report(outcome)
        self._trace.finish(outcome, self._silent)
        manager.count("jobs", self._short, self._entry.get("name", ""))
        if outcome.failed:
            manager.count("failed_jobs", self._short, outcome.failure_reason)
        manager.builds.remove(build)
        self._log_list("Removed job from processing list")
        return outcome

    def abort(self, what: str, detail: str) -> None:
        """End the job because the program ends."""
        reason = "runner_system_failure"
        if self._manager.app.traits.has(Trait.INTERRUPTED_REASON):
            known = (self._job.get("features") or {}).get("failure_reasons") or []
            reason = "runner_interrupted" if "runner_interrupted" in known else "unknown_failure"
        self._interrupted = True
        self._stop(system_failure(f"{what}: {detail}", reason))

    def _server_says(self, status: str) -> None:
        """End the job because GitLab says so; it hears of that only when it is still `canceling`."""
        self._silent = self._silent or status != "canceling"
        self._stop(JobFailed(Outcome("failed", ": canceled", "job_canceled")))

    def _stop(self, failure: JobFailed) -> None:
        if self._stopped is None:
            self._stopped = failure
            self._process.terminate()

    def _execute(self) -> Outcome:
        build, version = self._manager.app.build, self._manager.app.build.version
        self._trace.write(
            f"{CLEAR}Running with gitlab-runner {version} ({build.revision}){RESET}\n"
            f"{CLEAR}  on {self._entry.get('name', '')} {self._short}, system ID: "
            f"{self._manager.system_id}{RESET}\n"
        )
        self._build.state = "running"
        after = None
        try:
            self._section("prepare_executor", f'Preparing the "{self._entry["executor"]}" executor', self._prepare)
            own, after = script.steps(self._job, self._entry)
            for stage in (*script.prepare(self._variables, self._job), *own):
                self._stage(stage, self._process)
        except JobFailed as exc:
            outcome = (self._stopped or exc).outcome
        else:
            outcome = self._stopped.outcome if self._stopped else Outcome()
        self._wind_up(after, outcome)
        self._executor.cleanup()
        return outcome

    def _prepare(self) -> None:
        self._trace.write(f"{CLEAR}{self._executor.banner}{RESET}\n")
        self._executor.prepare(self._trace.write)

    def _place(self) -> script.Place:
        folder = f"{self._executor.builds_dir}/{self._short}/{self._build.slot}"
        return script.Place(self._executor.builds_dir, f"{folder}/{self._project}")

    def _stage(self, stage: script.Stage, process: Process, **more: str) -> None:
        if not stage.commands:
            return
        place = self._place()
        listed = [
            {"key": key, "value": value}
            for key, value in (item.partition("=")[::2] for item in self._entry.get("environment", []))
        ]
        own = {
            "CI_PROJECT_DIR": place.project_dir,
            "CI_BUILDS_DIR": place.builds_dir,
            "CI_CONCURRENT_ID": str(self._build.slot),
            "CI_RUNNER_SHORT_TOKEN": self._short,
            "CI_JOB_TOKEN": self._job["token"],
            **more,
        }
        variables = [
            *listed,
            *(self._job.get("variables") or []),
            *({"key": key, "value": value} for key, value in own.items()),
        ]
        text = script.whole(stage, variables, place)
        self._section(stage.name, stage.title, lambda: self._executor.run(process, stage.name, text, self._trace.write))

    def _section(self, name: str, title: str, action: t.Callable[[], None]) -> None:
        self._build.stage = name
        self._trace.write(f"section_start:{int(time.time())}:{name}\r{CLEAR}{CLEAR}{CYAN}{title}{RESET}{RESET}\n")
        try:
            action()
        finally:
            self._trace.write(f"section_end:{int(time.time())}:{name}\r{CLEAR}")

    def _wind_up(self, after: t.Optional[script.Stage], outcome: Outcome) -> None:
        """Run what comes after the job's own script, unless the program ends."""
        with_cleanup = self._manager.app.traits.has(Trait.CLEANUP_STAGE)
        if self._interrupted:
            self._warn(AFTER_SCRIPT_STOPPED)
            if with_cleanup:
                self._warn(CLEANUP_STOPPED, error="context canceled")
            return
        if isinstance(self._executor, executors.Unavailable):
            return
        status = "failed" if outcome.failed else "success"
        for stage in (after, script.cleanup(self._place()) if with_cleanup else None):
            if stage is None:
                continue
            try:
                self._stage(stage, Process(), CI_JOB_STATUS=status)
            except JobFailed as exc:
                self._warn(f"{stage.name} failed, but job will continue unaffected{exc.outcome.text}")

    def _fields(self, **more: object) -> dict[str, object]:
        return {"job": self._job["id"], "project": self._info.get("project_id", 0), "runner": self._short, **more}

    def _warn(self, text: str, **fields: object) -> None:
        self._manager.logger.warning(text, self._fields(**fields))
        shown = "".join(f" {YELLOW}{key}{RESET}={value}" for key, value in fields.items())
        self._trace.write(f"{YELLOW}WARNING: {text}{RESET} {shown}\n")

    def _report(self, outcome: Outcome) -> None:
        fields = self._fields(duration_s=time.monotonic() - self._build.started)
        if not outcome.failed:
            self._trace.write(f"{GREEN}Job succeeded{RESET}\n")
            self._manager.logger.info("Job succeeded", fields)
            return
        self._trace.write(f"{RED}ERROR: Job failed{outcome.text}\n{RESET}\n")
        fields["failure_reason"] = outcome.failure_reason
        if outcome.exit_code is not None:
            fields["exit_code"] = outcome.exit_code
        self._manager.logger.warning(f"Job failed{outcome.text}\n", fields)

    def _log_list(self, message: str) -> None:
        project = self._info.get("project_id", 0)
        self._manager.logger.info(
            message,
            {
                **self._manager.fields(),
                "job": self._job["id"],
                "project": project,
                "repo_url": self._url,
                "time_in_queue_seconds": self._info.get("time_in_queue_seconds", 0),
            },
        )

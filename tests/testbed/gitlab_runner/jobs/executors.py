# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the scripts of a job run: a shell, or the custom executor's programs (runner facts 7.1)."""

from __future__ import annotations

import json
import os
import pwd
import subprocess
import tempfile
import typing as t
from pathlib import Path

from ..config import Entry
from ..golang import Signal
from .outcome import JobFailed, script_failure, system_failure
from .process import Process

Output = t.Callable[[bytes], None]
BUILD_FAILURE, SYSTEM_FAILURE = 1, 2
DOCKER_DOWN = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"


class Executor(t.Protocol):
    """What a job needs; raises JobFailed."""

    builds_dir: str
    banner: str

    def prepare(self, output: Output) -> None: ...

    def run(self, process: Process, stage: str, script: str, output: Output) -> None: ...

    def cleanup(self) -> None: ...


def judge(status: int) -> t.Optional[JobFailed]:
    """Return the failure that an exit status of a script means."""
    if status == 0:
        return None
    if status < 0:
        return script_failure(f"signal: {Signal(-status)}", -1)
    return script_failure(f"exit status {status}", status)


def _user_exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


class Shell:
    """Scripts on the stdin of a login shell, as the service's user where there is one."""

    def __init__(self, entry: Entry, user: str) -> None:
        self.builds_dir = entry.get("builds_dir") or str(Path.cwd() / "builds")
        shell = entry.get("shell") or "bash"
        self.banner = f"Using Shell ({shell}) executor..."
        self._argv = [shell, "-l"]
        if user and os.getuid() == 0 and _user_exists(user):
            self._argv = ["su", "-s", "/bin/bash", user, "-c", f"{shell} -l"]

    def prepare(self, output: Output) -> None:
        """Nothing to make ready."""

    def run(self, process: Process, stage: str, script: str, output: Output) -> None:
        environment = dict(os.environ)
        environment.setdefault("HOME", pwd.getpwuid(os.getuid()).pw_dir)
        try:
            failure = judge(process.run(self._argv, output, script, environment))
        except OSError as exc:
            raise system_failure(f"prepare process: {self._argv[0]}: {(exc.strerror or '').lower()}") from exc
        if failure and stage == "prepare_script" and (failure.outcome.exit_code or 0) > 0:
            raise system_failure(
                f"prepare environment{failure.outcome.text}. Check https://docs.gitlab.com/runner/"
                "shells/#shell-profile-loading for more information"
            )
        if failure:
            raise failure

    def cleanup(self) -> None:
        """Nothing to take away."""


class Custom:
    """The four programs of [runners.custom]."""

    def __init__(self, entry: Entry, variables: t.Mapping[str, str]) -> None:
        self._custom = entry.get("custom", {})
        self.builds_dir = entry.get("builds_dir") or str(Path.cwd() / "builds")
        self.banner = "Using Custom executor..."
        self._environment = {
            **os.environ,
            **{f"CUSTOM_ENV_{key}": value for key, value in variables.items()},
            "BUILD_FAILURE_EXIT_CODE": str(BUILD_FAILURE),
            "SYSTEM_FAILURE_EXIT_CODE": str(SYSTEM_FAILURE),
        }

    def _argv(self, stage: str, *more: str) -> list[str]:
        return [self._custom[f"{stage}_exec"], *self._custom.get(f"{stage}_args", []), *more]

    def _call(self, process: Process, argv: list[str], output: Output) -> None:
        try:
            status = process.run(argv, output, env=self._environment)
        except OSError as exc:
            raise system_failure(f"fork/exec {argv[0]}: {(exc.strerror or '').lower()}") from exc
        if status == BUILD_FAILURE:
            raise script_failure(f"exit status {status}", status)
        if status == SYSTEM_FAILURE:
            raise system_failure(f"exit status {status}")
        if status:
            ended = f"signal: {Signal(-status)}" if status < 0 else f"exit status {status}"
            raise system_failure(
                f"unknown Custom executor executable exit code {-1 if status < 0 else status}; "
                f"executable execution terminated with: {ended}"
            )

    def prepare(self, output: Output) -> None:
        if not self._custom.get("run_exec"):
            raise system_failure("prepare: custom executor is missing RunExec")
        if self._custom.get("config_exec"):
            self._configure()
        if self._custom.get("prepare_exec"):
            self._call(Process(), self._argv("prepare"), output)

    def _configure(self) -> None:
        done = subprocess.run(self._argv("config"), env=self._environment, stdout=subprocess.PIPE, check=False)
        if done.returncode:
            raise system_failure(f"prepare: exit status {done.returncode}")
        try:
            told = json.loads(done.stdout) if done.stdout.strip() else {}
        except ValueError as exc:
            raise system_failure(f"prepare: error while parsing JSON output: {exc}") from exc
        self.builds_dir = told.get("builds_dir") or self.builds_dir
        self._environment.update(told.get("job_env") or {})

    def run(self, process: Process, stage: str, script: str, output: Output) -> None:
        with tempfile.TemporaryDirectory(prefix="custom-executor") as folder:
            file = Path(folder, "script.sh")
            file.write_text(f"#!/usr/bin/env bash\n\n{script}", encoding="utf-8")
            file.chmod(0o700)
            self._call(process, self._argv("run", str(file), stage), output)

    def cleanup(self) -> None:
        """Clean up; its result never changes the job's."""
        if self._custom.get("cleanup_exec"):
            subprocess.run(
                self._argv("cleanup"),
                env=self._environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=False,
            )


class Unavailable:
    """The known executors that have nothing to run on here."""

    def __init__(self, entry: Entry) -> None:
        self.builds_dir = "/builds"
        self.banner = f"Using {entry.get('executor', '').capitalize()} executor..."

    def prepare(self, output: Output) -> None:
        raise system_failure(f"prepare: {DOCKER_DOWN}")

    def run(self, process: Process, stage: str, script: str, output: Output) -> None:
        raise system_failure(DOCKER_DOWN)

    def cleanup(self) -> None:
        """Nothing was made."""


def make(entry: Entry, user: str, variables: t.Mapping[str, str]) -> Executor:
    if entry["executor"] == "shell":
        return Shell(entry, user)
    return Custom(entry, variables) if entry["executor"] == "custom" else Unavailable(entry)

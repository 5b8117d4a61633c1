# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gitlab-runner service and program on this host: small reads, one signal. Standard library of Python 3.9."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import re
import shutil
import signal
import time
import typing as t

SYSTEMCTL = "systemctl"
PROGRAM = "gitlab-runner"
PROPERTIES = ("LoadState", "ActiveState", "SubState", "UnitFileState", "MainPID", "Result")
# A signal in the daemon's first moments kills it (runner facts 3.1); handlers are there well within this time.
SETTLED_SECONDS = 1.0
# The program itself would wait for an hour (runner facts 5).
VERIFY_SECONDS = 120
STEERING = ("REGISTER_", "RUNNER_", "CI_SERVER_", "REGISTRATION_TOKEN", "CONFIG_FILE", "LOG_FORMAT", "LOG_LEVEL")

# AnsibleModule.run_command: exit status, standard output, standard error.
Run = t.Callable[[t.Sequence[str]], "tuple[int, str, str]"]


@dataclasses.dataclass(frozen=True)
class ServiceState:
    """What systemd says of the service; names as `systemctl show` prints them, in snake case."""

    load_state: str
    active_state: str
    sub_state: str
    unit_file_state: str
    main_pid: int
    result: str

    @property
    def word(self) -> str:
        """One word for people; a service that died and waits for its restart is not called running."""
        if self.load_state == "not-found":
            return "not installed"
        if self.load_state == "masked" and self.active_state == "inactive":
            return "masked"
        words = {"active": "running", "inactive": "stopped", "deactivating": "draining", "failed": "failed"}
        if self.sub_state == "auto-restart":
            return "dead, restarts later"
        return words.get(self.active_state, self.active_state)


def runner(run_command: t.Callable[..., tuple[int, str, str]]) -> Run:
    """A module's run_command in the C locale; a program that is not there is an empty answer with status 127."""

    def run(argv: t.Sequence[str]) -> tuple[int, str, str]:
        if shutil.which(argv[0]) is None:
            return 127, "", f"{argv[0]}: not found"
        return run_command(list(argv), environ_update={"LC_ALL": "C"})

    return run


def forget_steering() -> None:
    """Drop variables of this process that would change what gitlab-runner does (runner facts 10.10)."""
    for name in [name for name in os.environ if name.startswith(STEERING)]:
        del os.environ[name]


def service_state(run: Run, service: str) -> ServiceState:
    """Ask systemd; a host without systemd has no service."""
    _status, shown, _errors = run([SYSTEMCTL, "show", f"{service}.service", "-p", ",".join(PROPERTIES)])
    found = dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)
    return ServiceState(
        load_state=found.get("LoadState", "not-found"),
        active_state=found.get("ActiveState", "inactive"),
        sub_state=found.get("SubState", "dead"),
        unit_file_state=found.get("UnitFileState", ""),
        main_pid=int(found.get("MainPID") or 0),
        result=found.get("Result", ""),
    )


def process_age(pid: int) -> float:
    """Seconds since the process started; raises OSError when there is none."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    started = int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return float(pathlib.Path("/proc/uptime").read_text().split()[0]) - started


def reload(run: Run, service: str) -> bool:
    """Make a running daemon load its config now; says whether there was one to tell."""
    state = service_state(run, service)
    if state.active_state != "active" or not state.main_pid:
        return False
    try:
        young = SETTLED_SECONDS - process_age(state.main_pid)
        if young > 0:
            time.sleep(young)
        os.kill(state.main_pid, signal.SIGHUP)
    except (ProcessLookupError, FileNotFoundError):
        return False
    return True


def version(run: Run) -> str | None:
    """The installed program's version, or None when there is no program."""
    _status, shown, _errors = run([PROGRAM, "--version"])
    found = re.search(r"^Version:\s+(.+?)\s*$", shown, re.MULTILINE)
    return found.group(1) if found else None


def log_lines(stderr: str) -> list[dict[str, t.Any]]:
    """The program's log in JSON; other lines (a crash, a stray print) are left out."""
    lines = []
    for line in stderr.splitlines():
        try:
            data = json.loads(line)
        except ValueError:
            continue
        if isinstance(data, dict):
            lines.append(data)
    return lines


def unknown_keys(run: Run, config: str) -> list[str] | None:
    """What `gitlab-runner lint` says of a file: its unknown keys.

    None where the version has no lint (before 19.3) or there is no program. Raises ValueError with lint's words when
    the file can't be loaded (runner facts 4.3).
    """
    if shutil.which(PROGRAM) is None:
        return None
    status, out, errors = run([PROGRAM, "lint", "-c", config])
    if status == 0 or "Command lint not found" in errors:
        return [] if status == 0 else None
    text = re.sub(r"\x1b\[[0-9;]*m", "", out + errors)
    found = re.findall(r"unknown key: (\S+)", text)
    if found:
        return found
    words = [line.strip() for line in text.splitlines() if line.startswith("FATAL")]
    raise ValueError(" ".join(words) or text.strip()[-300:])


# `verify` exits 0 when GitLab can't be reached (runner facts 0.7), so its words are read, not its exit code.
_VERDICTS = {
    "is valid": "valid",
    "is alive": "valid",
    "is not valid": "refused",
    "is removed": "refused",
    "failed": "unreachable",
    "client error": "unreachable",
}


def verified(run: Run, config: str) -> list[dict[str, str]]:
    """What `gitlab-runner verify` says of each entry, in the order of the file: valid, refused or unreachable.

    Words of a version that nobody knows yet are no verdict: unknown.
    """
    verify = [PROGRAM, "--log-format", "json", "verify", "-c", config]
    _status, _out, errors = run(["timeout", str(VERIFY_SECONDS), *verify])
    found = []
    for line in log_lines(errors):
        message = str(line.get("msg", "")).strip()
        if message.startswith("Verifying runner..."):
            verdict = message[len("Verifying runner...") :].strip()
            found.append({"runner": str(line.get("runner", "")), "verified": _VERDICTS.get(verdict, "unknown")})
    return found

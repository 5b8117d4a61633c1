# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The timer of a GitLab server's backups: its files, and what must be done so that a host has them."""

from __future__ import annotations

import base64
import dataclasses
import re
import shlex
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._backup_host import PROGRAM, PYTHON, HostError

UNIT = "fleetwright-gitlab-backup"
TIMER = f"{UNIT}.timer"
_UNITS = "/etc/systemd/system"
_SERVICE = f"""\
[Unit]
Description=Back up GitLab as one verified set
Wants=network-online.target
After=network-online.target gitlab-runsvdir.service

[Service]
Type=oneshot
ExecStart={PYTHON} {{state}}/{PROGRAM} create {{state}}/timer.json {{state}}/timer-answer.json
UMask=0077
Nice=10
IOSchedulingClass=best-effort
IOSchedulingPriority=7
"""
_TIMER = """\
[Unit]
Description=When GitLab is backed up

[Timer]
OnCalendar={calendar}
RandomizedDelaySec={delay}
Persistent=true

[Install]
WantedBy=timers.target
"""
_READ = r"""export LC_ALL=C
for f in {files}; do test ! -f "$f" || printf 'file %s %s\n' "$f" "$(base64 -w0 -- "$f")"; done
printf 'enabled %s\n' "$(systemctl is-enabled {timer} 2>/dev/null)"
printf 'active %s\n' "$(systemctl is-active {timer} 2>/dev/null)"
systemctl show -p NeedDaemonReload {timer} {service} 2>/dev/null | grep -qx NeedDaemonReload=yes && echo 'systemd stale'
{checks}
echo end
"""
_CHECK_CALENDAR = 'wrong=$(systemd-analyze calendar {calendar} 2>&1 >/dev/null) || echo "calendar $wrong" | head -n 1\n'
_CHECK_PROGRAM = "command -v {program} >/dev/null || echo 'program missing'\n"


@dataclasses.dataclass(frozen=True)
class Found:
    """What a host has of the timer; stale: systemd goes by files as they were before."""

    files: t.Mapping[str, str]
    enabled: bool
    active: bool
    calendar_error: str = ""
    program_missing: bool = False
    stale: bool = False


@dataclasses.dataclass(frozen=True)
class Plan:
    """Files to write and to remove, whether the timer is switched, and whether systemd has to read its files anew."""

    write: t.Mapping[str, str]
    remove: tuple[str, ...]
    switch: bool
    reload: bool

    @property
    def changed(self) -> bool:
        return self.switch or self.reload


def files(state_path: str, settings: str, calendar: str, delay: int) -> dict[str, str]:
    """The files of a timer, with their texts; delay is in seconds."""
    return {
        f"{state_path}/timer.json": settings,
        f"{_UNITS}/{UNIT}.service": _SERVICE.format(state=state_path),
        f"{_UNITS}/{TIMER}": _TIMER.format(calendar=calendar, delay=delay),
    }


def plan(found: Found, wanted: t.Mapping[str, str], *, present: bool) -> Plan:
    """What brings a host to the wanted files with the timer on, or to none of them."""
    if not present:
        there = tuple(path for path in wanted if path in found.files)
        return Plan({}, there, found.enabled or found.active, bool(there) or found.stale)
    write = {path: text for path, text in wanted.items() if found.files.get(path) != text}
    return Plan(write, (), not (found.enabled and found.active), bool(write) or found.stale)


def read(paths: t.Iterable[str], calendar: str | None, program: str | None) -> str:
    checks = _CHECK_CALENDAR.format(calendar=shlex.quote(calendar)) if calendar is not None else ""
    checks += _CHECK_PROGRAM.format(program=shlex.quote(program)) if program else ""
    return _READ.format(files=" ".join(map(shlex.quote, paths)), timer=TIMER, service=f"{UNIT}.service", checks=checks)


def parse(output: str) -> Found:
    lines = [line.strip("\r") for line in output.splitlines()]
    if "end" not in lines:
        raise HostError(f"Could not look at the timer: the host's answer ends early ({output.strip()[-300:]!r}).")
    single = dict(line.split(" ", 1) for line in lines if " " in line)
    texts = [found.groups() for found in (re.match(r"file (\S+) (\S*)$", line) for line in lines) if found]
    return Found(
        {path: base64.b64decode(text).decode("utf-8", "replace") for path, text in texts},
        single.get("enabled") == "enabled",
        single.get("active") == "active",
        single.get("calendar", ""),
        "program missing" in lines,
        "systemd stale" in lines,
    )


def switch(*, on: bool, changed: bool) -> str:
    """Tell systemd: a changed timer is started anew, so that it counts from what it says now."""
    if not on:
        return f"systemctl disable --now {TIMER} 2>/dev/null; systemctl daemon-reload"
    again = f" && systemctl restart {TIMER}" if changed else ""
    return f"systemctl daemon-reload && systemctl enable --now {TIMER}{again}"

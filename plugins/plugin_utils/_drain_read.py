# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One look at a runner service: what systemd says of it, and which jobs its process runs.

A shell command, because a drain looks every few seconds and a module would start Python each time. It stays on the
host until there is something to say or its seconds are over: the end of the last job is seen in a quarter of a second.
"""

from __future__ import annotations

import dataclasses
import enum
import re
import shlex
import typing as t

PROPERTIES = (
    "LoadState", "ActiveState", "SubState", "UnitFileState", "MainPID", "Result", "KillSignal", "KillMode",
    "TimeoutStopUSec", "ControlGroup", "DropInPaths", "NRestarts",
)  # fmt: skip
SIGQUIT = "3"
TICKS = 100.0  # the kernel counts a process's start in hundredths of a second, whatever its own clock does
PAUSE = 0.25
FLEETING = "fleeting-plugin"  # plugins of the autoscaler executors live as long as the daemon: they are no jobs

# The port is asked of the kernel, not of config.toml: a changed listen_address needs a restart, and until then the old
# port answers (runner facts 2). /debug/jobs/list answers until the process ends, also while it drains (runner facts 8).
PORTS = r"""ports() {{
  i=$(ls -l "/proc/$1/fd" 2>/dev/null | sed -n 's/.*socket:\[\([0-9]*\)\]$/:\1:/p' | tr -d '\n')
  cat "/proc/$1/net/tcp" "/proc/$1/net/tcp6" 2>/dev/null \
    | awk -v i="$i" '$4 == "0A" && index(i, ":" $10 ":") {{ print $2 }}'
}}
address() {{
  h=${{1%%:*}}; p=$(printf '%d' "0x${{1##*:}}")
  h=$(printf %s "$h" | sed 's/\(..\)\(..\)\(..\)\(..\)/\4\3\2\1/g')
  case $h in
    00000000) h=127.0.0.1 ;;
    00000000000000000000000000000000) h=[::1] ;;
    ????????) h=$(printf '%d.%d.%d.%d' $(printf %s "$h" | sed 's/../0x& /g')) ;;
    *) h=[$(printf %s "$h" | sed 's/..../&:/g;s/:$//')] ;;
  esac
  printf '%s:%s' "$h" "$p"
}}
"""
_LOOK = (
    "export LC_ALL=C\nu={unit}\n"
    + PORTS
    + r"""look() {{
  shown=$(systemctl show "$u" -p {properties} 2>/dev/null)
  pid=$(printf '%s\n' "$shown" | sed -n 's/^MainPID=//p')
  state=$(printf '%s\n' "$shown" | sed -n 's/^ActiveState=//p')
  answer=; jobs=
  test "${{pid:-0}}" -gt 0 || return 0
  for port in ${{known:=$(ports "$pid")}}; do
    answer=$(curl -s -g -m 3 --noproxy '*' -D - "http://$(address "$port")/debug/jobs/list" 2>/dev/null | tr -d '\r')
    case $answer in *[Xx]-[Ll]ist-[Vv]ersion:*) known=$port ;; *) answer=; continue ;; esac
    jobs=$(printf '%s\n' "$answer" | sed '1,/^$/d')
    break
  done
}}
n={tries}; known=
while :; do
  look
  case {until} in
    idle) {{ test -n "$answer" && test -n "$jobs"; }} || break; test "$state" = active || break ;;
    stopped) case $state in inactive|failed|activating) break ;; esac ;;
    *) break ;;
  esac
  n=$((n - 1)); test $n -gt 0 || break
  sleep {pause}
done
printf '%s\n' "$shown" | sed 's/^/unit./;s/=/ /'
test -n "$answer" && echo 'jobs.known yes' && printf '%s\n' "$jobs" | sed -n 's/^\(.\)/job \1/p'
if test "${{pid:-0}}" -gt 0; then
  g=$(printf '%s\n' "$shown" | sed -n 's/^ControlGroup=//p')
  for f in "/sys/fs/cgroup$g/cgroup.procs" "/sys/fs/cgroup/systemd$g/cgroup.procs"; do
    test -n "$g" && test -r "$f" || continue
    while read -r p; do
      test "$p" = "$pid" || printf 'process %s %s\n' "$p" "$(cat "/proc/$p/comm" 2>/dev/null)"
    done < "$f"
    break
  done
  printf 'started %s\n' "$(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null | cut -d' ' -f20)"
  printf 'program %s\n' "$(readlink "/proc/$pid/exe" 2>/dev/null)"
fi
printf 'uptime %s\n' "$(cut -d' ' -f1 /proc/uptime)"
echo end
"""
)


class Until(enum.Enum):
    """What a look may wait for on the host."""

    NOW = "now"
    IDLE = "idle"
    STOPPED = "stopped"


@dataclasses.dataclass(frozen=True)
class Job:
    """A running job as the daemon lists it."""

    url: str
    stage: str = ""
    duration: str = ""


@dataclasses.dataclass(frozen=True)
class Look:
    """The service at one moment; names as `systemctl show` prints them.

    jobs is None where the daemon has no metrics server; processes are those of the service beside its main one.
    """

    load_state: str = "not-found"
    active_state: str = "inactive"
    sub_state: str = "dead"
    unit_file_state: str = ""
    main_pid: int = 0
    result: str = ""
    kill_signal: str = ""
    kill_mode: str = ""
    stop_seconds: float | None = None  # None: without limit
    drop_ins: tuple[str, ...] = ()
    restarts: int = 0
    age: float = 0.0
    program: str = ""
    jobs: tuple[Job, ...] | None = None
    processes: int = 0

    @property
    def installed(self) -> bool:
        return self.load_state != "not-found" or self.active_state != "inactive"

    @property
    def running(self) -> bool:
        return self.active_state in ("active", "reloading") and self.main_pid > 0

    @property
    def draining(self) -> bool:
        return self.active_state == "deactivating"

    @property
    def waits_for_restart(self) -> bool:
        """Dead, until systemd starts it again after RestartSec (runner facts 10.2)."""
        return self.sub_state == "auto-restart" or (self.active_state == "activating" and not self.main_pid)

    @property
    def stop_drains(self) -> bool:
        """Whether a stop lets the jobs end: SIGQUIT, and to the main process alone (runner facts 0.5)."""
        return self.kill_signal == SIGQUIT and self.kill_mode in ("mixed", "process")


class LookError(Exception):
    """The host did not answer; the text says what to do."""


def command(service: str, until: Until = Until.NOW, seconds: float = 0.0) -> str:
    """The shell command for one look, which may wait on the host for up to so many seconds."""
    return _LOOK.format(
        unit=shlex.quote(f"{service}.service"),
        properties=",".join(PROPERTIES),
        until=until.value,
        tries=max(1, round(seconds / PAUSE)),
        pause=PAUSE,
    )


def parse(output: str) -> Look:
    """Turn the command's output into a Look; raises LookError where it is cut off."""
    lines = [line.rstrip("\r") for line in output.splitlines()]
    if "end" not in lines:
        raise LookError(
            f"Could not look at the service: the host's answer ends early ({output.strip()[-200:]!r}). "
            "Check that the host can be reached and that its login shell prints nothing of its own."
        )
    found = [(key, value) for key, _space, value in (line.partition(" ") for line in lines)]
    one = dict(found)
    processes = [value.partition(" ")[2] for key, value in found if key == "process"]
    return Look(
        load_state=one.get("unit.LoadState", "not-found"),
        active_state=one.get("unit.ActiveState", "inactive"),
        sub_state=one.get("unit.SubState", "dead"),
        unit_file_state=one.get("unit.UnitFileState", ""),
        main_pid=int(one.get("unit.MainPID") or 0),
        result=one.get("unit.Result", ""),
        kill_signal=one.get("unit.KillSignal", ""),
        kill_mode=one.get("unit.KillMode", ""),
        stop_seconds=seconds(one.get("unit.TimeoutStopUSec", "")),
        drop_ins=tuple(one.get("unit.DropInPaths", "").split()),
        restarts=int(one.get("unit.NRestarts") or 0),
        age=_age(one),
        program=one.get("program", ""),
        jobs=tuple(_job(value) for key, value in found if key == "job") if "jobs.known" in one else None,
        processes=sum(not name.startswith(FLEETING) for name in processes),
    )


def _age(one: t.Mapping[str, str]) -> float:
    if not one.get("started"):
        return 0.0
    return max(0.0, float(one.get("uptime") or 0) - int(one["started"]) / TICKS)


def _job(line: str) -> Job:
    fields = dict(re.findall(r"(\w+)=(\S*)", line))
    return Job(fields.get("url", "?"), fields.get("stage", ""), fields.get("duration", ""))


_UNITS = {
    "us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0,
    "month": 2629800.0, "y": 31557600.0,
}  # fmt: skip


def seconds(span: str) -> float | None:
    """A time span as systemd prints it (1h 30min); None for V(infinity)."""
    if not span or span == "infinity":
        return None
    return sum(float(number) * _UNITS.get(unit, 0.0) for number, unit in re.findall(r"([\d.]+)\s*([a-z]+)", span))

# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one small read of a runner host: a shell command and what its output means.

A shell command costs a tenth of a module (no Python starts on the host), so a run that changes nothing
is over after it. Only coreutils, systemd and rpm are used.
"""

from __future__ import annotations

import base64
import dataclasses
import datetime
import hashlib
import re
import shlex
import typing as t

# The daemon rewrites config.toml in place (runner facts 0.1): a read is good when size and mtime stood still.
_READ_CONFIG = """\
p=$(readlink -f -- {path} 2>/dev/null || printf %s {path})
printf 'config.path %s\\n' "$p"
s() {{ stat -c '%s %y %a %U %G' -- "$p"; }}
if test -e "$p"; then
  for try in 1 2 3 4 5; do
    a=$(s) && c=$(base64 -w0 -- "$p") && b=$(s) || break
    test "$a" = "$b" && break
    sleep 0.1
  done
  printf 'config.stat %s\\nconfig.content %s\\n' "$a" "$c"
  test -r "$p" || echo 'config.unreadable yes'
  test -f "$p" || echo 'config.nofile yes'
fi
d=$(dirname -- {path})
test ! -d "$d" || test -x "$d" || echo 'config.unreadable yes'
test -r "$d/.runner_system_id" && printf 'system_id %s\\n' "$(cat -- "$d/.runner_system_id")"
"""
# The runner's unit and Docker's by one call; an empty line stands between them.
_READ_SERVICE = """\
TZ=UTC systemctl show {unit} docker.service \
 -p LoadState,ActiveState,SubState,UnitFileState,MainPID,NeedDaemonReload,ExecMainStartTimestamp,ExecStart \
 2>/dev/null | sed 's/^/service./;s/=/ /'
test -S /var/run/docker.sock && echo 'docker.socket yes'
"""
_READ_PACKAGES = """\
rpm -q --qf 'package.%{{NAME}} %{{VERSION}}-%{{RELEASE}}\\ninstalled.%{{NAME}} %{{INSTALLTIME}}\\n' \
 {packages} 2>/dev/null
rpm -q --qf 'key.%{{VERSION}} %{{RELEASE}}\\n' gpg-pubkey 2>/dev/null
sed -n 's/^\\(ID\\|VERSION_ID\\|ID_LIKE\\|PRETTY_NAME\\)=\\(.*\\)$/os.\\1 \\2/p' /etc/os-release 2>/dev/null | tr -d '"'
cat /etc/dnf/plugins/versionlock.list /etc/yum/pluginconf.d/versionlock.list 2>/dev/null \
 | sed -n 's/^\\([^#[:space:]].*\\)$/lock \\1/p'
"""
_READ_FILE = """\
test -r {path} && printf 'file %s %s\\n' {path} "$(base64 -w0 -- {path})"
"""
_READ_TIMES = """\
stat --printf 'written %n %Y\nmode %n %a:%U:%G\n' -- {paths} 2>/dev/null
"""
DEFAULT_CONFIG_PATH = "/etc/gitlab-runner/config.toml"
PACKAGES = ("gitlab-runner", "gitlab-runner-helper-images")
_MISSING = re.compile(r"package (.+) is not installed")
_CONFIG_FLAG = re.compile(r"--config[ =](\S+)")
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


@dataclasses.dataclass(frozen=True)
class ConfigFile:
    """config.toml as it was read; content is None where there is no file."""

    path: str
    content: bytes | None = dataclasses.field(default=None, repr=False)
    mode: str | None = None
    owner: str | None = None
    group: str | None = None

    @property
    def sha256(self) -> str | None:
        return None if self.content is None else hashlib.sha256(self.content).hexdigest()


@dataclasses.dataclass(frozen=True)
class Service:
    """What systemd says of the unit (names as systemctl show prints them).

    started_at is the second in which its main process started; config_path is what that process was told to read.
    """

    load_state: str = "not-found"
    active_state: str = "inactive"
    sub_state: str = "dead"
    unit_file_state: str = ""
    main_pid: int = 0
    need_daemon_reload: bool = False
    started_at: int = 0
    config_path: str | None = None


@dataclasses.dataclass(frozen=True)
class HostState:
    """What one read of a host brought.

    missing are the packages that were asked for and are not there; installed and written are seconds: when a package
    was installed, when a file was written last.
    """

    config: ConfigFile
    system_id: str | None = None
    service: Service = dataclasses.field(default_factory=Service)
    packages: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    keys: frozenset[str] = frozenset()
    os_release: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    locks: tuple[str, ...] = ()
    files: t.Mapping[str, str] = dataclasses.field(default_factory=dict, repr=False)
    missing: frozenset[str] = frozenset()
    installed: t.Mapping[str, int] = dataclasses.field(default_factory=dict)
    written: t.Mapping[str, int] = dataclasses.field(default_factory=dict)
    modes: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    docker: Service = dataclasses.field(default_factory=Service)
    docker_socket: bool = False


class HostReadError(Exception):
    """The host could not be read; the text says what to do."""


def command(
    config_path: str,
    *,
    service: str | None = None,
    packages: t.Sequence[str] = (),
    files: t.Sequence[str] = (),
    times: t.Sequence[str] = (),
) -> str:
    """The shell command for one read; each further part is optional because each costs milliseconds.

    Of times only the times come back: whether they are there, and since when.
    """
    parts = [_READ_CONFIG.format(path=shlex.quote(config_path))]
    if service:
        parts.append(_READ_SERVICE.format(unit=shlex.quote(f"{service}.service")))
    if packages:
        parts.append(_READ_PACKAGES.format(packages=" ".join(map(shlex.quote, packages))))
    parts += [_READ_FILE.format(path=shlex.quote(path)) for path in files]
    if times or (service and files):
        parts.append(_READ_TIMES.format(paths=" ".join(map(shlex.quote, [*files, *times]))))
    return "export LC_ALL=C\n" + "".join(parts) + "echo end"


def parse(output: str, config_path: str) -> HostState:
    """Turn the command's output into a HostState.

    Raises HostReadError where the output is cut off or the file exists but can't be read.
    """
    lines = [line.strip("\r") for line in output.splitlines()]
    if "end" not in lines:
        raise HostReadError(
            f"Could not read the state of the host: its answer ends early ({output.strip()[-200:]!r}). "
            "Check that the login shell prints nothing of its own and that base64, stat and systemctl exist there."
        )
    found = [(key, value) for key, unused, value in (line.partition(" ") for line in lines)]
    single = dict(found)
    if "config.unreadable" in single:
        raise HostReadError(f"Could not read {config_path}: permission denied. Run this task with become: true.")
    if "config.nofile" in single:
        raise HostReadError(
            f"{config_path} is no file (a directory or a device stands there). Nothing was changed. "
            "Remove it, or give another path."
        )
    units = _units(found)
    return HostState(
        config=_config(single, config_path),
        system_id=single.get("system_id"),
        service=_service(units[0]),
        packages=_with_prefix(found, "package."),
        keys=frozenset(_with_prefix(found, "key.")),
        os_release=_with_prefix(found, "os."),
        locks=tuple(value for key, value in found if key == "lock"),
        files=_files(found),
        missing=frozenset(match[1] for match in map(_MISSING.fullmatch, lines) if match),
        installed={name: int(value) for name, value in _with_prefix(found, "installed.").items()},
        written=_written(found),
        modes=_modes(found),
        docker=_service(units[1]),
        docker_socket="docker.socket" in single,
    )


def _config(single: t.Mapping[str, str], config_path: str) -> ConfigFile:
    path = single.get("config.path") or config_path
    if not single.get("config.stat") or "config.content" not in single:  # it may go while it is read
        return ConfigFile(path)
    mode, owner, group = single["config.stat"].split()[-3:]
    return ConfigFile(path, base64.b64decode(single["config.content"]), f"0{mode}", owner, group)


def _units(found: t.Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    """What systemd said of the two units, in the order in which they were asked for."""
    units: list[dict[str, str]] = [{}, {}]
    number = 0
    for key, value in found:
        if key == "service.":
            number = 1
        elif key.startswith("service."):
            units[number][key[len("service.") :]] = value
    return units


def _service(unit: t.Mapping[str, str]) -> Service:
    if "LoadState" not in unit:
        return Service()
    config_path = _CONFIG_FLAG.search(unit.get("ExecStart", ""))
    return Service(
        load_state=unit["LoadState"],
        active_state=unit.get("ActiveState", "inactive"),
        sub_state=unit.get("SubState", "dead"),
        unit_file_state=unit.get("UnitFileState", ""),
        main_pid=int(unit.get("MainPID") or 0),
        need_daemon_reload=unit.get("NeedDaemonReload") == "yes",
        started_at=_seconds(unit.get("ExecMainStartTimestamp", "")),
        config_path=config_path[1] if config_path else None,
    )


def _seconds(timestamp: str) -> int:
    """A time as systemctl prints it under TZ=UTC (Tue 2026-11-24 07:03:18 UTC); 0 for a unit that never ran."""
    match = _TIMESTAMP.search(timestamp)
    if not match:
        return 0
    moment = datetime.datetime.strptime(match[0], "%Y-%m-%d %H:%M:%S")
    return int(moment.replace(tzinfo=datetime.timezone.utc).timestamp())


def _with_prefix(found: t.Sequence[tuple[str, str]], prefix: str) -> dict[str, str]:
    return {key[len(prefix) :]: value for key, value in found if key.startswith(prefix)}


def _files(found: t.Sequence[tuple[str, str]]) -> dict[str, str]:
    pairs = (value.rpartition(" ") for key, value in found if key == "file")
    return {path: base64.b64decode(content).decode("utf-8", "replace") for path, unused, content in pairs}


def _modes(found: t.Sequence[tuple[str, str]]) -> dict[str, str]:
    pairs = (value.rpartition(" ") for key, value in found if key == "mode")
    return {path: mode for path, unused, mode in pairs}


def _written(found: t.Sequence[tuple[str, str]]) -> dict[str, int]:
    pairs = (value.rpartition(" ") for key, value in found if key == "written")
    return {path: int(seconds) for path, unused, seconds in pairs}

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
import hashlib
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
test -r "$d/.runner_system_id" && printf 'system_id %s\\n' "$(cat -- "$d/.runner_system_id")"
"""
_READ_SERVICE = """\
systemctl show {unit} -p LoadState,ActiveState,SubState,UnitFileState,MainPID,NeedDaemonReload,Result \
 2>/dev/null | sed 's/^/service./;s/=/ /'
"""
_READ_PACKAGES = """\
rpm -q --qf 'package.%{{NAME}} %{{VERSION}}-%{{RELEASE}}\\n' {packages} 2>/dev/null
rpm -q --qf 'key.%{{VERSION}} %{{RELEASE}}\\n' gpg-pubkey 2>/dev/null
sed -n 's/^\\(ID\\|VERSION_ID\\|ID_LIKE\\|PRETTY_NAME\\)=\\(.*\\)$/os.\\1 \\2/p' /etc/os-release 2>/dev/null | tr -d '"'
cat /etc/dnf/plugins/versionlock.list /etc/yum/pluginconf.d/versionlock.list 2>/dev/null \
 | sed -n 's/^\\([^#[:space:]].*\\)$/lock \\1/p'
"""
_READ_FILE = """\
test -r {path} && printf 'file {path} %s\\n' "$(base64 -w0 -- {path})"
"""
DEFAULT_CONFIG_PATH = "/etc/gitlab-runner/config.toml"
PACKAGES = ("gitlab-runner", "gitlab-runner-helper-images")


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
    """What systemd says of the unit (names as systemctl show prints them)."""

    load_state: str = "not-found"
    active_state: str = "inactive"
    sub_state: str = "dead"
    unit_file_state: str = ""
    main_pid: int = 0
    need_daemon_reload: bool = False


@dataclasses.dataclass(frozen=True)
class HostState:
    """What one read of a host brought."""

    config: ConfigFile
    system_id: str | None = None
    service: Service = dataclasses.field(default_factory=Service)
    packages: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    keys: frozenset[str] = frozenset()
    os_release: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    locks: tuple[str, ...] = ()
    files: t.Mapping[str, str] = dataclasses.field(default_factory=dict)


class HostReadError(Exception):
    """The host could not be read; the text says what to do."""


def command(
    config_path: str,
    *,
    service: str | None = None,
    packages: t.Sequence[str] = (),
    files: t.Sequence[str] = (),
) -> str:
    """The shell command for one read; each further part is optional because each costs milliseconds."""
    parts = [_READ_CONFIG.format(path=shlex.quote(config_path))]
    if service:
        parts.append(_READ_SERVICE.format(unit=shlex.quote(f"{service}.service")))
    if packages:
        parts.append(_READ_PACKAGES.format(packages=" ".join(map(shlex.quote, packages))))
    parts += [_READ_FILE.format(path=shlex.quote(path)) for path in files]
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
    return HostState(
        config=_config(single, config_path),
        system_id=single.get("system_id"),
        service=_service(single),
        packages=_with_prefix(found, "package."),
        keys=frozenset(_with_prefix(found, "key.")),
        os_release=_with_prefix(found, "os."),
        locks=tuple(value for key, value in found if key == "lock"),
        files=_files(found),
    )


def _config(single: t.Mapping[str, str], config_path: str) -> ConfigFile:
    path = single.get("config.path") or config_path
    if not single.get("config.stat") or "config.content" not in single:  # it may go while it is read
        return ConfigFile(path)
    mode, owner, group = single["config.stat"].split()[-3:]
    return ConfigFile(path, base64.b64decode(single["config.content"]), f"0{mode}", owner, group)


def _service(single: t.Mapping[str, str]) -> Service:
    if "service.LoadState" not in single:
        return Service()
    return Service(
        load_state=single["service.LoadState"],
        active_state=single.get("service.ActiveState", "inactive"),
        sub_state=single.get("service.SubState", "dead"),
        unit_file_state=single.get("service.UnitFileState", ""),
        main_pid=int(single.get("service.MainPID") or 0),
        need_daemon_reload=single.get("service.NeedDaemonReload") == "yes",
    )


def _with_prefix(found: t.Sequence[tuple[str, str]], prefix: str) -> dict[str, str]:
    return {key[len(prefix) :]: value for key, value in found if key.startswith(prefix)}


def _files(found: t.Sequence[tuple[str, str]]) -> dict[str, str]:
    pairs = (value.rpartition(" ") for key, value in found if key == "file")
    return {path: base64.b64decode(content).decode("utf-8", "replace") for path, unused, content in pairs}

# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an upgrade runs on the host: shell scripts, and what their output means.

The package transaction runs as a unit of its own, so that it goes on to its end when the controller dies: a killed
transaction leaves rpm's database half way. It starts the service again by itself.
"""

from __future__ import annotations

import dataclasses
import re
import shlex
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _drain, _host_write
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._package_versions import HELPER, PROGRAM
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._upgrade_plan import Journal, Packages, transaction

DNF = "dnf -y --disableplugin=versionlock"  # our own lock is moved by ourselves, after the transaction
VERSION_LOCK = "/etc/dnf/plugins/versionlock.list"
PACKAGES = f"{PROGRAM} {HELPER}"

# Through a variable, because dnf colours and wraps what it writes to a terminal, which ssh gives it.
LIST = f"found=$({DNF} -q list --showduplicates {PACKAGES}) || exit 1; printf '%s\\n' \"$found\""

# While it is there nothing starts the service: the package's scripts would, whatever it was before (runner facts 3.4).
_HOLD = "/run/systemd/system/{service}.service.d/fleetwright-hold.conf"
_TRANSACTION = r"""#!/bin/sh
export LC_ALL=C NO_DOCKER_PRUNE=1
cd {folder} || exit 1
unit=/etc/systemd/system/{service}.service
hold={hold}
began=$(date +%s.%N)
mkdir -p "$(dirname "$hold")"
printf '[Unit]\nConditionPathExists=/run/fleetwright/never\n' > "$hold"
test ! -L "$unit" || rm -f "$unit"  # a mask: `gitlab-runner install` refuses to write over it
systemctl daemon-reload
present() {{ rpm -q --qf '%{{NAME}}-%{{VERSION}}-%{{RELEASE}}\n' {names} 2>/dev/null | grep -v 'not installed'; }}
there() {{ test "$(present)" = {wanted}; }}
: > transaction.log
there || {dnf} -C {words} >> transaction.log 2>&1 || there || {dnf} {words} >> transaction.log 2>&1
status=$?
there && status=0
if test -L {backup}/unit || {{ test -f {backup}/unit && ! cmp -s {backup}/unit "$unit"; }}; then
  rm -f "$unit"; cp -a {backup}/unit "$unit"
fi
{locks}
rm -f "$hold"
systemctl daemon-reload
case {unit_file_state} in
  enabled) systemctl -q enable {service}.service ;;
  disabled) systemctl -q disable {service}.service ;;
esac
systemctl reset-failed {service}.service 2>/dev/null
{start}
printf 'status %s\nbegan %s\nended %s\n' "$status" "$began" "$(date +%s.%N)" > transaction.result.new
sync; mv -f transaction.result.new transaction.result
exit 0
"""
_LOCKS = r"""if test -f {file}; then
  sed -i '/^\(gitlab-runner\|gitlab-runner-helper-images\)-0:/d' {file}
  printf '%s\n' {lines} >> {file}
fi"""

# Waits for a transaction that another run left going, then runs this one.
_RUN = r"""cd {folder} && cat > transaction.new && {whole} && chmod 0700 transaction.new || exit 1
mv -f transaction.new transaction.sh  # a shell that still reads the old one keeps it
{wait}
rm -f transaction.result
systemd-run --quiet --collect --wait --unit={unit} /bin/sh {folder}/transaction.sh || exit 1
cat transaction.result && sed 's/^/log /' transaction.log | tail -n 40
"""
WAIT = "while systemctl is-active -q {unit}; do sleep 0.2; done"

_BACKUP = r"""set -e
umask 077
d={target}
rm -rf "$d.part"
mkdir -p "$d.part"
cd "$d.part"
test ! -e {config} || cat {config} > config.toml
s=$(dirname {config})/.runner_system_id
test ! -e "$s" || cat "$s" > runner_system_id
u=/etc/systemd/system/{service}.service
test ! -e "$u" -a ! -L "$u" || cp -a "$u" unit
version=$(rpm -q --qf '%{{VERSION}}-%{{RELEASE}}' {program} 2>/dev/null | grep -v ' ') || :
{{
  printf '{{"format": 1, "created": "%s", "config_path": "%s", "version": "%s", "files": {{' \
    "$(date -u +%Y-%m-%dT%H:%M:%SZ)" {config_json} "$version"
  first=
  for f in config.toml runner_system_id unit; do
    test -f "$f" || continue
    sum=$(sha256sum < "$f" | cut -d' ' -f1)
    printf '%s"%s": {{"sha256": "%s", "size": %s}}' "$first" "$f" "$sum" "$(stat -Lc %s "$f")"
    first=', '
  done
  printf '}}}}\n'
}} > manifest.json
sync
rm -rf "$d"
mv "$d.part" "$d"
cd ..
ls -1 | grep -E '^[0-9]{{8}}T[0-9]{{6}}' | grep -vxF {kept} | sort -r | tail -n +{beyond} \
  | while read -r old; do rm -rf "$old"; done
cat "$d/manifest.json"
"""
_RESTORE_READ = r"""cd {folder}/backups 2>/dev/null || exit 0
ls -1 | grep -E '^[0-9]{{8}}T[0-9]{{6}}[0-9Z]*$' | sort | sed 's/^/backup /'
n={name}
test -n "$n" || n=$(ls -1 | grep -E '^[0-9]{{8}}T[0-9]{{6}}[0-9Z]*$' | sort | tail -n 1)
test -n "$n" || exit 0
printf 'name %s\n' "$n"
test ! -f "$n/manifest.json" || printf 'manifest %s\n' "$(base64 -w0 < "$n/manifest.json")"
test ! -f "$n/config.toml" || printf 'config %s\n' "$(base64 -w0 < "$n/config.toml")"
"""


def unit_name(service: str) -> str:
    return f"fleetwright-{service}-packages.service"


def prefetch(now: Packages, goal: Packages) -> str:
    """Download and check a transaction, so that what can fail does before anything is stopped."""
    return f"{DNF} -q --downloadonly {' '.join(map(shlex.quote, transaction(now, goal)))}"


def wait_for_other(service: str) -> str:
    return WAIT.format(unit=unit_name(service))


def run_transaction(service: str, script: str) -> str:
    """Runs the script, which comes on standard input, to its end, when all of it has come."""
    unit = unit_name(service)
    return _RUN.format(
        folder=shlex.quote(_drain.folder(service)),
        unit=unit,
        wait=WAIT.format(unit=unit),
        whole=_host_write.whole("transaction.new", script),
    )


def script(service: str, journal: Journal, now: Packages, *, lock: bool) -> str:
    """The transaction to the journal's goal, and the service afterwards as it was before."""
    goal = journal.goal
    lines = " ".join(map(shlex.quote, goal.locks()))
    return _TRANSACTION.format(
        folder=shlex.quote(_drain.folder(service)),
        service=shlex.quote(service),
        hold=shlex.quote(_HOLD.format(service=service)),
        names=PACKAGES,
        wanted=shlex.quote("\n".join(goal.specs())),
        dnf=DNF,
        words=" ".join(map(shlex.quote, transaction(now, goal))),
        backup=shlex.quote(journal.backup),
        locks=_LOCKS.format(file=VERSION_LOCK, lines=lines) if lock else ":",
        unit_file_state=shlex.quote(journal.unit_file_state or "none"),
        start=f"systemctl start {shlex.quote(service)}.service" if journal.active else ":",
    )


@dataclasses.dataclass(frozen=True)
class Done:
    """How a transaction went; seconds is its own time, from the first change to the service's start."""

    status: int
    seconds: float
    log: str


def done(output: str) -> Done:
    found = dict(re.findall(r"^(status|began|ended) (\S+)$", output, re.MULTILINE))
    log = "\n".join(re.findall(r"^log (.*)$", output, re.MULTILINE))
    return Done(int(found.get("status", 1)), float(found.get("ended", 0)) - float(found.get("began", 0)), log)


def backup_path(service: str, stamp: str) -> str:
    return f"{_drain.folder(service)}/backups/{stamp}"


def backup(service: str, config_path: str, stamp: str, *, count: int, kept: str = "") -> str:
    """Copy configuration, system id and unit with a manifest; kept names a copy that is never cleared away."""
    return _BACKUP.format(
        target=shlex.quote(backup_path(service, stamp)),
        config=shlex.quote(config_path),
        config_json=shlex.quote(config_path.replace("\\", "\\\\").replace('"', '\\"')),
        service=shlex.quote(service),
        program=PROGRAM,
        kept=shlex.quote(kept or stamp),
        beyond=max(1, count) + 1,
    )


def read_backup(service: str, name: str) -> str:
    """Read a backup (the newest where name is empty) and the names of all."""
    return _RESTORE_READ.format(folder=shlex.quote(_drain.folder(service)), name=shlex.quote(name))


def verify(config_path: str) -> t.Sequence[str]:
    return ("timeout", "60", PROGRAM, "--log-format", "json", "verify", "-c", config_path)

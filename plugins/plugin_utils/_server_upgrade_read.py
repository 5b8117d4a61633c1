# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one read that an upgrade's plan needs: a shell command, and what its output means. It changes nothing."""

from __future__ import annotations

import base64
import dataclasses
import re
import shlex
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _upgrade_file
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _host_os

POSTGRESQL = "/var/opt/gitlab/postgresql"
GITLAB_RB = "/etc/gitlab/gitlab.rb"
SKIP_FILES = ("skip-auto-backup", "skip-auto-reconfigure", "skip-fail-config-check", "disable-postgresql-upgrade")
# A lock of the version would hide every other one. Locks are the collection's own and moved with each stop.
_READ = r"""export LC_ALL=C
rpm -q --qf 'package %{{NAME}} %{{VERSION}}-%{{RELEASE}}\n' gitlab-ce gitlab-ee 2>/dev/null \
  | sed -n '/^package gitlab-.. [0-9]/p'
sed -n 's/^\(ID\|VERSION_ID\)=\(.*\)$/os.\1 \2/p' /etc/os-release 2>/dev/null | tr -d '"'
d={postgresql}
test ! -r $d/data/PG_VERSION || printf 'postgresql %s\npostgresql.kib %s\npostgresql.free %s\n' \
  "$(cat $d/data/PG_VERSION)" "$(du -sk $d/data | cut -f1)" "$(df -Pk $d | awk 'NR == 2 {{ print $4 }}')"
for f in $d/data.*; do test ! -e "$f" || printf 'postgresql.left %s\n' "$f"; done
for f in {skip_files}; do test ! -e "/etc/gitlab/$f" || printf 'skip %s\n' "$f"; done
test ! -r {config} || printf 'config %s\n' "$(base64 -w0 {config})"
test ! -r {journal} || printf 'journal %s\n' "$(base64 -w0 {journal})"
test "$(id -u)" = 0 || echo 'root no'
out=$(timeout {seconds} dnf -q --disableplugin=versionlock repoquery --showduplicates \
  --qf 'offer %{{name}} %{{version}}-%{{release}} %{{downloadsize}} %{{installsize}}\n' gitlab-ce gitlab-ee 2>&1)
printf '%s\n' "$out" | sed -n '/^offer /p'
printf 'dnf.said %s\n' "$(printf '%s\n' "$out" | sed '/^offer /d' | tail -c 600 | base64 -w0)"
echo end
"""
DNF_SECONDS = 600


class ReadError(Exception):
    """The host could not be read; the text says what to do."""


@dataclasses.dataclass(frozen=True)
class Offer:
    """A package of a repository; sizes are in bytes, 0 where the repository does not say."""

    name: str
    version: str
    download: int = 0
    installed: int = 0


@dataclasses.dataclass(frozen=True)
class State:
    """What the read brought.

    packages are version and release by name; postgresql is the major of the data directory, None where there is none;
    left are directories of data beside the one in use. sizes are in bytes. journal are the lines of earlier upgrades,
    dnf_said what dnf wrote to its errors.
    """

    packages: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    system: tuple[str, str] = ("", "")
    postgresql: int | None = None
    postgresql_bytes: int = 0
    postgresql_free: int = 0
    postgresql_left: tuple[str, ...] = ()
    skip_files: tuple[str, ...] = ()
    config: str = dataclasses.field(default="", repr=False)
    journal: bytes = b""
    offers: tuple[Offer, ...] = ()
    dnf_said: str = ""


def command() -> str:
    journal = f"{_upgrade_file.STATE_PATH}/{_upgrade_file.NAME}"
    return _READ.format(
        postgresql=POSTGRESQL,
        skip_files=" ".join(SKIP_FILES),
        config=GITLAB_RB,
        journal=shlex.quote(journal),
        seconds=DNF_SECONDS,
    )


def parse(output: str) -> State:
    """Raises ReadError where the output is cut off, or was not made by root."""
    lines = [line.strip("\r") for line in output.splitlines()]
    if "end" not in lines:
        raise ReadError(
            f"Could not read the host: its answer ends early ({output.strip()[-200:]!r}). Check that rpm, dnf and "
            "base64 are there, and that the login shell prints nothing of its own."
        )
    if "root no" in lines:
        raise ReadError("Could not read GitLab's data: this is not root. Run this with become: true.")
    found = [(key, value) for key, _space, value in (line.partition(" ") for line in lines)]
    one = dict(found)
    name = one.get("os.ID", "")
    return State(
        packages=dict(t.cast("tuple[str, str]", tuple(value.split())) for key, value in found if key == "package"),
        system=("el" if name in _host_os.EL else name, one.get("os.VERSION_ID", "").partition(".")[0]),
        postgresql=int(one["postgresql"]) if one.get("postgresql", "").isdigit() else None,
        postgresql_bytes=_bytes(one.get("postgresql.kib", "")),
        postgresql_free=_bytes(one.get("postgresql.free", "")),
        postgresql_left=tuple(value for key, value in found if key == "postgresql.left"),
        skip_files=tuple(value for key, value in found if key == "skip"),
        config=base64.b64decode(one.get("config", "")).decode("utf-8", "replace"),
        journal=base64.b64decode(one.get("journal", "")),
        offers=tuple(_offer(value) for key, value in found if key == "offer"),
        dnf_said=base64.b64decode(one.get("dnf.said", "")).decode("utf-8", "replace").strip(),
    )


def _bytes(kib: str) -> int:
    return int(kib) * 1024 if kib.isdigit() else 0


def _offer(text: str) -> Offer:
    name, version, download, installed = (*text.split(), "", "")[:4]
    return Offer(name, version, *(int(size) if size.isdigit() else 0 for size in (download, installed)))


def setting(config: str, name: str) -> str | None:
    """The value of the last line of a gitlab.rb that sets this; None where none does."""
    found = re.findall(rf"^\s*{name}\s*=\s*(.+?)\s*(?:#.*)?$", config, re.MULTILINE)
    return str(found[-1]) if found else None

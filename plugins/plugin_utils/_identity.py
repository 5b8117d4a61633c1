# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who a runner manager says it is: pure functions.

GitLab tells the managers of one runner apart by .runner_system_id, which the program derives from the machine id.
A copied disk brings the file along, and then two machines look like one.
"""

from __future__ import annotations

import hashlib
import hmac
import typing as t

# In the order in which the program reads them.
MACHINE_IDS = ("/var/lib/dbus/machine-id", "/etc/machine-id")
_UNSET = ("", "uninitialized")


def expected(files: t.Mapping[str, str]) -> str | None:
    """What the program calls itself on this machine; None where it has no machine id (runner facts 1.1)."""
    for path in MACHINE_IDS:
        machine = files.get(path, "").strip()
        if machine not in _UNSET:
            return "s_" + hmac.new(machine.encode(), b"gitlab-runner", hashlib.sha256).hexdigest()[:12]
    return None


def copied(system_id: str | None, files: t.Mapping[str, str]) -> bool:
    """Whether the identity on disk belongs to another machine; a random one (r_) belongs to none."""
    own = expected(files)
    return bool(own and system_id and system_id.startswith("s_") and system_id != own)


def copies(identities: t.Mapping[str, str | None]) -> list[list[str]]:
    """Hosts that have one identity, in groups; hosts of which none is known are no copies."""
    groups: dict[str, list[str]] = {}
    for host, identity in identities.items():
        if identity:
            groups.setdefault(identity, []).append(host)
    return [hosts for hosts in groups.values() if len(hosts) > 1]

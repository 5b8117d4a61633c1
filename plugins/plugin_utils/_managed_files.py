# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that the role owns on a runner host, and what must happen when one of them changed: pure functions."""

from __future__ import annotations

import dataclasses
import json
import re
import typing as t

PROXY_NAMES = ("http_proxy", "https_proxy", "no_proxy")
# The program looks for authorities only here, whatever --config says (runner facts 1.1).
CERTS = "/etc/gitlab-runner/certs"
# The authorities that each service of the host declared: what is no longer declared by any goes.
RECORD = "/etc/gitlab-runner/.fleetwright-authorities.json"
_HOST = re.compile(r"[A-Za-z0-9.-]+")
_HEAD = "# Managed by fleetwright.gitlab_aws.gitlab_runner"


@dataclasses.dataclass(frozen=True)
class ManagedFile:
    """A whole file. secret keeps its content out of every output; restart says that only a new process reads it."""

    path: str
    content: str = dataclasses.field(repr=False)
    mode: str = "0644"
    secret: bool = False
    restart: bool = False

    def stands(self, content: str | None, mode: str | None) -> bool:
        """Whether the file is there as it should be; a mode (644:root:root) that was not read is taken for right."""
        return content == self.content and mode in (None, f"{self.mode.lstrip('0')}:root:root")


def drain_path(service: str) -> str:
    """The last of the drop-ins, so that an older one (the documented kill.conf, an override.conf) does not undo it."""
    return f"/etc/systemd/system/{service}.service.d/zz-drain.conf"


def proxy_path(service: str) -> str:
    return f"/etc/systemd/system/{service}.service.d/proxy.conf"


def drain(service: str, stop_timeout: int) -> ManagedFile:
    """The unit settings under which a stop drains.

    KillSignal alone is not enough: systemd would signal the job's own processes too, and they die of SIGQUIT
    (runner facts 0.5). ExecReload lets `systemctl reload` load the config.
    """
    lines = (
        f"{_HEAD}: a stop waits for the running jobs.",
        "[Service]",
        "KillSignal=SIGQUIT",
        "KillMode=mixed",
        f"TimeoutStopSec={stop_timeout}",
        "ExecReload=/bin/kill -HUP $MAINPID",
    )
    return ManagedFile(drain_path(service), "\n".join(lines) + "\n")


def proxy(service: str, settings: t.Mapping[str, str]) -> ManagedFile | None:
    """The service's proxy; 0600, because a proxy's URL may hold a password. None where there is nothing to say."""
    pairs = [(name, settings[name]) for name in PROXY_NAMES if settings.get(name)]
    if not pairs:
        return None
    lines = [f"{_HEAD}.", "[Service]"]
    for name, value in pairs:
        quoted = value.replace("%", "%%").replace("\\", "\\\\").replace('"', '\\"')
        lines += [f'Environment="{spelled}={quoted}"' for spelled in (name.upper(), name)]
    return ManagedFile(proxy_path(service), "\n".join(lines) + "\n", mode="0600", secret=True, restart=True)


def authorities(certificates: t.Mapping[str, str]) -> list[ManagedFile]:
    """Certificate authorities by GitLab's host name, where the program looks for them.

    Raises ValueError for a name that is no host and for content that is no certificate.
    """
    found = []
    for host, pem in certificates.items():
        if not _HOST.fullmatch(host):
            raise ValueError(f"gitlab_runner_ca_certificates: {host!r} is no host name; leave scheme and port out.")
        if "-----BEGIN CERTIFICATE-----" not in pem:
            raise ValueError(
                f"gitlab_runner_ca_certificates[{host}] is no PEM certificate; give its text, for example by "
                "lookup('ansible.builtin.file', ...)."
            )
        found.append(ManagedFile(f"{CERTS}/{host}.crt", pem.rstrip("\n") + "\n", restart=True))
    return found


def recorded(
    text: str | None, service: str, certificates: t.Mapping[str, str]
) -> tuple[ManagedFile | None, tuple[str, ...]]:
    """The record as it should be (None where there is nothing to record), and the files of authorities that must go.

    Raises ValueError for a record that this did not write.
    """
    try:
        record = {str(name): [str(host) for host in hosts] for name, hosts in json.loads(text or "{}").items()}
    except (ValueError, TypeError, AttributeError) as exc:
        raise ValueError(
            f"{RECORD} on the host can't be read ({exc}). Remove it, and from {CERTS} what is no longer wanted."
        ) from exc
    before = record.pop(service, [])
    kept = {host for hosts in record.values() for host in hosts} | set(certificates)
    gone = tuple(f"{CERTS}/{host}.crt" for host in before if host not in kept and _HOST.fullmatch(host))
    now = {**record, **({service: sorted(certificates)} if certificates else {})}
    if text is None and not now:
        return None, ()
    return ManagedFile(RECORD, json.dumps(now, indent=1, sort_keys=True) + "\n", mode="0600"), gone


def problems(proxy_settings: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    """Faults of the proxy settings."""
    for name in proxy_settings:
        if name not in PROXY_NAMES:
            yield f"gitlab_runner_proxy.{name} is unknown; use {', '.join(PROXY_NAMES)}."

# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a gitlab-runner daemon is doing, asked of the process itself. Standard library of Python 3.9."""

from __future__ import annotations

import http.client
import pathlib
import re
import socket
import struct
import typing as t

LISTEN = "0A"
TIMEOUT = 3.0


def listening(pid: int, proc: str = "/proc") -> list[tuple[str, int]]:
    """Addresses that the process listens on, as a client on this host reaches them.

    Asked of the kernel, not of config.toml: a changed listen_address needs a restart, until then the old port
    answers (runner facts 2).
    """
    inodes = _socket_inodes(pathlib.Path(proc) / str(pid) / "fd")
    found = []
    for table, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        path = pathlib.Path(proc) / str(pid) / "net" / table
        for line in path.read_text().splitlines()[1:] if path.exists() else []:
            fields = line.split()
            if fields[3] == LISTEN and fields[9] in inodes:
                found.append(_address(fields[1], family))
    return found


def _socket_inodes(folder: pathlib.Path) -> set[str]:
    inodes = set()
    for entry in folder.iterdir():
        try:
            link = str(entry.readlink())
        except OSError:
            continue
        if link.startswith("socket:["):
            inodes.add(link[len("socket:[") : -1])
    return inodes


def _address(field: str, family: int) -> tuple[str, int]:
    host, port = field.split(":")
    words = [int(host[start : start + 8], 16) for start in range(0, len(host), 8)]
    packed = b"".join(struct.pack("=I", word) for word in words)
    address = socket.inet_ntop(family, packed)
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address), int(port, 16)


def running_jobs(pid: int) -> list[dict[str, str]] | None:
    """The jobs that the daemon runs, or None where it has no metrics server (no listen_address)."""
    try:
        addresses = listening(pid)
    except OSError:
        return None
    for host, port in addresses:
        text = _jobs_list(host, port)
        if text is not None:
            return parse_jobs(text)
    return None


def _jobs_list(host: str, port: int) -> str | None:
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT)
    try:
        connection.request("GET", "/debug/jobs/list")
        response = connection.getresponse()
        text = response.read().decode("utf-8", "replace")
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return text if response.status == 200 and response.getheader("X-List-Version") else None


def parse_jobs(text: str) -> list[dict[str, str]]:
    """One dict a job: url, state, stage, executor_stage, duration (runner facts 8)."""
    jobs: list[dict[str, str]] = []
    for line in text.splitlines():
        fields: t.Iterable[tuple[str, str]] = re.findall(r"(\w+)=(\S*)", line)
        if fields:
            jobs.append(dict(fields))
    return jobs

# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The door of a GitLab server: while it is closed, nginx answers 503 to everybody but the host itself. Python 3.9.

gitlab.rb is the user's, and a change of it costs a reconfigure. So the door is one line in the files that a reconfigure
renders for nginx, in each server that hands requests to GitLab. Every reconfigure takes it away by writing them anew:
whoever reconfigures closes the door again before puma is started.
"""

from __future__ import annotations

import http.client
import os
import pathlib
import re
import socket
import ssl
import time
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _gitlab_readiness
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_readiness import Address
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._host_command import Run

CONF = "/var/opt/gitlab/nginx/conf"
LINE = '  if ($remote_addr !~ "^(127[.]|::1$)") { return 503; }  # fleetwright: an upgrade is under way\n'
CLOSED = 503
_MARK = "# fleetwright: an upgrade is under way"
_SERVER = re.compile(r"^[ \t]*server[ \t]*\{[^\n]*\n", re.MULTILINE)
_GITLAB = "gitlab-workhorse"
ANSWER_SECONDS = 10
LOAD_SECONDS = 30.0
PAUSE_SECONDS = 0.2


class DoorError(Exception):
    """The door is not as it must be; the text says what to do."""


def shut(text: str) -> str:
    """A file of nginx's with the line in each of its servers; as it is where it has them, or none of GitLab's."""
    if _GITLAB not in text:
        return text
    return _SERVER.sub(lambda found: found.group(0) + LINE, opened(text))


def opened(text: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if _MARK not in line)


def files(conf: str = CONF) -> list[pathlib.Path]:
    """The files in which nginx has GitLab's servers; where they are differs between versions."""
    found = sorted(pathlib.Path(conf).rglob("*.conf")) if pathlib.Path(conf).is_dir() else []
    return [one for one in found if _GITLAB in one.read_text("utf-8", "replace")]


def _written(change: t.Callable[[str], str], conf: str) -> bool:
    changed = False
    for file in files(conf):
        text = file.read_text("utf-8")
        wanted = change(text)
        if wanted != text:
            new = file.with_name(f".{file.name}.fleetwright")  # no *.conf: nginx must not read it
            new.write_text(wanted, "utf-8")
            status = file.stat()
            os.chown(new, status.st_uid, status.st_gid)
            new.chmod(status.st_mode & 0o777)
            new.replace(file)
            changed = True
    return changed


def close(run: Run, ctl: str, conf: str = CONF) -> None:
    """Close it, and see that it is closed; again: nothing. Raises DoorError and OSError."""
    if not files(conf):
        raise DoorError(
            f"GitLab's own nginx is not in use here (no server of GitLab's in {conf}), so nobody can be kept out while "
            "the upgrade is verified. Keep users and runners out in front of GitLab, and run this with "
            "gitlab_server_upgrade_keep_serving: true."
        )
    _written(shut, conf)
    _load(run, ctl, lambda status: status in (CLOSED, None))


def open_(run: Run, ctl: str, conf: str = CONF) -> bool:
    """Open it; returns whether it was closed. Raises DoorError and OSError."""
    if not _written(opened, conf):
        return False
    _load(run, ctl, lambda status: status != CLOSED)
    return True


def is_closed(conf: str = CONF) -> bool:
    found = files(conf)
    return bool(found) and all(shut(one.read_text("utf-8")) == one.read_text("utf-8") for one in found)


def _load(run: Run, ctl: str, good: t.Callable[[int | None], bool]) -> None:
    """Have nginx read its files, and ask as somebody else would until it answers by them."""
    run([ctl, "hup", "nginx"], timeout=120)
    until = time.monotonic() + LOAD_SECONDS
    status = asked()
    while not good(status):
        if time.monotonic() > until:
            raise DoorError(
                f"nginx still answers {status} {LOAD_SECONDS:g} s after it was told to read its files again. Look at "
                "gitlab-ctl tail nginx."
            )
        time.sleep(PAUSE_SECONDS)
        status = asked()


def asked() -> int | None:
    """The status that others get, by an address of this host that is not a loopback one; None where nobody answers."""
    try:
        where = _gitlab_readiness.address()
        return _status(where, own_address())
    except (OSError, ValueError, http.client.HTTPException):
        return None


def _status(where: Address, address: str) -> int:
    connection = http.client.HTTPConnection(address, where.port, timeout=ANSWER_SECONDS)
    if where.https:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        connection = http.client.HTTPSConnection(address, where.port, timeout=ANSWER_SECONDS, context=context)
    try:
        connection.request("HEAD", "/api/v4/version", headers={"Host": where.header})
        return connection.getresponse().status
    finally:
        connection.close()


def own_address() -> str:
    """An address of this host by which others reach it; nothing is sent. Raises OSError."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # documentation's own network: only the route is asked for
        return str(probe.getsockname()[0])

# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""gitlab-ctl pg-upgrade and revert-pg-upgrade (server facts 4.6, observed 8)."""

from __future__ import annotations

import dataclasses
import re
import shutil
import sys
import typing as t
from pathlib import Path

from .. import faults
from ..chef.files import write
from ..releases import PG_VERSIONS
from . import services
from .config import reconfigure
from .node import Node, progress, say

AUTOMATIC = ("-w", "--skip-disk-check")
STOPPED = ("sidekiq", "gitlab-kas", "gitlab-workhorse")
DURATION = re.compile(r"(?:\d+(?:d|h|ms|m|s))+|\d+")
SIZE = 1 << 20


@dataclasses.dataclass(frozen=True)
class Options:
    """What the command line says."""

    target: t.Optional[int] = None
    wait: bool = True
    skip_disk_check: bool = False
    timeout: str = ""


class Usage(Exception):
    """A command line that is not understood: the message and the exit status."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code


WITH_VALUE = {"-V": "target", "--target-version": "target", "--timeout": "timeout", "--tmp-dir": "", "-T": "timeout"}
PLAIN = {"-w": ("wait", False), "--no-wait": ("wait", False), "--skip-disk-check": ("skip_disk_check", True)}


def options(arguments: t.Sequence[str]) -> Options:
    """Read the command line."""
    found: dict[str, t.Any] = {}
    words = [part for word in arguments for part in (word.split("=", 1) if word.startswith("--") else [word])]
    while words:
        word = words.pop(0)
        if word in PLAIN:
            found[PLAIN[word][0]] = PLAIN[word][1]
        elif word in WITH_VALUE and words:
            found[WITH_VALUE[word]] = words.pop(0)
        elif word != "--skip-multi-node":
            raise Usage(f"invalid option: {word} (OptionParser::InvalidOption)", 1)
    found.pop("", None)
    if found.get("timeout") and not DURATION.fullmatch(found["timeout"]):
        text = f"Command line parameter error: invalid value for duration: `{found['timeout']}`"
        raise Usage(text, 64)
    if found.get("target"):
        found["target"] = int(found["target"].split(".")[0])
    return Options(**found)


@dataclasses.dataclass(frozen=True)
class Cluster:
    """The database's folders."""

    node: Node

    @property
    def data(self) -> Path:
        return self.node.places.postgresql / "data"

    def aside(self, major: int) -> Path:
        """Return the folder that an upgrade reads or makes."""
        return self.node.places.postgresql / f"data.{major}"

    @property
    def major(self) -> int:
        return int((self.data / "PG_VERSION").read_text(encoding="utf-8"))

    @property
    def old_mark(self) -> Path:
        return self.node.places.var / "postgresql-version.old"


def _complain(text: str, code: int) -> int:
    print(text, file=sys.stderr, flush=True)
    return code


def _pinned(node: Node) -> bool:
    return bool(re.search(r"^postgresql\['version'\]", node.places.gitlab_rb.read_text(encoding="utf-8"), re.MULTILINE))


def _refusal(node: Node, cluster: Cluster, wanted: Options) -> t.Optional[int]:
    """Return the exit status of a case in which nothing is done, None when there is something to do."""
    if "postgresql" not in services.enabled(node):
        return _complain("No currently installed postgresql in the omnibus instance found.", 0)
    if _pinned(node):
        say("postgresql['version'] is set in /etc/gitlab/gitlab.rb. Not checking for a PostgreSQL upgrade")
        return 0
    shipped = node.release.minor.pg_shipped
    target = wanted.target or node.release.minor.pg_default
    if target not in shipped:
        known = ", ".join(map(str, shipped))
        return _complain(f"The specified major version {target} is not supported. Choose from one of {known}.", 1)
    if cluster.major >= target:
        return _complain(f"The latest version {PG_VERSIONS[cluster.major]} is already running, nothing to do", 0)
    return None


def _left_over(cluster: Cluster, target: int) -> t.Optional[int]:
    before = cluster.aside(cluster.major)
    if before.exists():
        text = f"Detected a potential failed upgrade.  Directory {before} already exists."
        return _complain(text, 1)
    made = cluster.aside(target)
    if made.exists() and any(made.iterdir()):
        text = f"Cannot upgrade, {made} is not empty. Move or delete this directory to proceed with upgrade"
        return _complain(text, 0)
    return None


def _lacks_space(cluster: Cluster) -> bool:
    used = sum(path.stat().st_size for path in cluster.data.rglob("*") if path.is_file())
    needed, free = 2 * used // SIZE + 1, shutil.disk_usage(cluster.data).free // SIZE
    if free < needed:
        _complain(f"Upgrade requires {needed}MB, but only {free}MB is free.", 1)
    return free < needed


def _toggle(node: Node, command: str) -> bool:
    for name in STOPPED:
        if name in services.enabled(node):
            services.one(node, command, name)
    return True


def _copy(cluster: Cluster, target: int) -> bool:
    """Do pg_upgrade's work: a second folder with the data; False on the fault."""
    made = cluster.aside(target)
    shutil.copytree(cluster.data, made, dirs_exist_ok=True)
    write(made / "PG_VERSION", f"{target}\n", mode=0o640)
    for path in (made, *made.rglob("*")):
        shutil.copystat(cluster.data / path.relative_to(made), path)
        if cluster.node.is_root:
            stat = (cluster.data / path.relative_to(made)).stat()
            shutil.chown(path, stat.st_uid, stat.st_gid)
    return faults.fault("pg-upgrade-fails", cluster.node.places) is None


def _revert_failed(node: Node, before: int, target: int) -> int:
    said = faults.fault("pg-upgrade-fails", node.places) or "Failure, exiting"
    say(f"Error upgrading the data to version {PG_VERSIONS[target]}\nSTDOUT: {said}\nSTDERR: ")
    say("== Fatal error ==\nError running pg_upgrade, please check logs\n== Reverting ==")
    services.one(node, "start", "postgresql")
    _toggle(node, "start")
    _page(node, up=False)
    say("== Reverted ==")
    say(f"== Reverted to {PG_VERSIONS[before]}. Please check output for what went wrong ==")
    return 1


def _upgrade(node: Node, cluster: Cluster, target: int) -> int:
    before = cluster.major
    progress("Toggling services", lambda: _toggle(node, "stop"))
    progress("Running stop on postgresql", lambda: services.one(node, "stop", "postgresql")[1] == 0)
    if not progress("Upgrading the data", lambda: _copy(cluster, target)):
        return _revert_failed(node, before, target)

    def swap() -> bool:
        cluster.data.rename(cluster.aside(before))
        write(cluster.old_mark, f"{PG_VERSIONS[before]}\n")
        return True

    progress("Move the old data directory out of the way", swap)
    progress("Rename the new data directory", lambda: bool(cluster.aside(target).rename(cluster.data)))
    progress("Running start on postgresql", lambda: services.one(node, "start", "postgresql")[1] == 0)
    if not progress("Running reconfigure", lambda: reconfigure(node, []) == 0):
        say("== Fatal error ==\nSomething went wrong during final reconfiguration, please check the logs")
        return 1
    progress("Waiting for Database to be running.", lambda: services.one(node, "status", "postgresql")[1] == 0)
    say("Database upgrade is complete, running vacuumdb analyze")
    progress("Toggling deploy page", lambda: _page(node, up=False))
    progress("Toggling services", lambda: _toggle(node, "start"))
    say("==== Upgrade has completed ====")
    say("Please verify everything is working and run the following if so")
    say(f"sudo rm -rf {cluster.aside(before)}\nsudo rm -f {cluster.old_mark}")
    return 0


def _page(node: Node, *, up: bool) -> bool:
    public = node.places.rails / "public"
    if up:
        shutil.copyfile(public / "deploy.html", public / "index.html")
    else:
        (public / "index.html").unlink(missing_ok=True)
    return True


def pg_upgrade(node: Node, arguments: t.Sequence[str]) -> int:
    """Go to the newest PostgreSQL of the package, or to the one named."""
    try:
        wanted = options(arguments)
    except Usage as exc:
        return _complain(str(exc), exc.code)
    cluster = Cluster(node)
    progress("Checking for an omnibus managed postgresql", lambda: "postgresql" in services.enabled(node))
    refused = _refusal(node, cluster, wanted)
    if refused is not None:
        return refused
    target = wanted.target or node.release.minor.pg_default
    say(f"Upgrading PostgreSQL to {PG_VERSIONS[target]}")
    left = _left_over(cluster, target)
    if left is not None:
        return left
    if not wanted.skip_disk_check and _lacks_space(cluster):
        return 1
    if wanted.wait:
        say("Waiting 30 seconds to ensure tasks complete before PostgreSQL upgrade.")
        node.pause(30)
    progress("Toggling deploy page", lambda: _page(node, up=True))
    return _upgrade(node, cluster, target)


def revert_pg_upgrade(node: Node, arguments: t.Sequence[str]) -> int:
    """Go back to the PostgreSQL of before the last upgrade: what was written since is lost."""
    try:
        options(arguments)
    except Usage as exc:
        return _complain(str(exc), exc.code)
    cluster = Cluster(node)
    now = cluster.major
    known = [major for major in PG_VERSIONS if major < now and cluster.aside(major).exists()]
    if not cluster.old_mark.exists() or not known:
        return _complain(f"Already running {PG_VERSIONS[now]}", 1)
    node.pause(5)
    progress("Running stop on postgresql", lambda: services.one(node, "stop", "postgresql")[1] == 0)
    shutil.rmtree(cluster.data)
    cluster.aside(max(known)).rename(cluster.data)
    cluster.old_mark.unlink()
    progress("Running start on postgresql", lambda: services.one(node, "start", "postgresql")[1] == 0)
    progress("Running reconfigure", lambda: reconfigure(node, []) == 0)
    say("== Reverted ==")
    return 0

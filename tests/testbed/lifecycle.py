# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Up, down, status: the order in which the parts of the testbed come and go."""

from __future__ import annotations

import dataclasses
import fcntl
import os
import secrets
import shutil
import typing as t
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from testbed import paths, requirements, servers
from testbed.errors import TestbedError
from testbed.hosts import containers, image, inventory, names, network, ssh, systems
from testbed.hosts.containers import Container
from testbed.hosts.network import Network
from testbed.hosts.podman import Podman
from testbed.packages import repository, server_repository
from testbed.packages.publish import Repositories, clear_left_overs
from testbed.programs import say, step

DEFAULT_HOSTS = 3
API = "api"
REPOSITORY = "packages"
AWS = "aws"
S3 = "s3"
LOCK = "lock"


@dataclasses.dataclass(frozen=True)
class Wish:
    """What `up` is asked for; None means as many as there are, or three hosts for runners and none for servers."""

    hosts: t.Optional[int] = None
    servers: t.Optional[int] = None
    fresh: bool = False
    api_port: int = 8080
    packages_port: int = 8081
    s3: bool = False
    s3_port: int = 8082


@contextmanager
def alone() -> Iterator[None]:
    """Let one command at a time work on the testbed of this checkout."""
    paths.CACHE.mkdir(parents=True, exist_ok=True)
    with (paths.CACHE / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("  Waiting for another testbed command to end ...")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _some(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _clear_of_others(podman: Podman, *, force: bool = False) -> None:
    """Refuse to take a running testbed from another checkout; what a dead one left is removed."""
    mine = str(paths.ROOT)
    theirs = [one for one in containers.find(podman) if one.owner and one.owner != mine]
    running = [one for one in theirs if one.running]
    if running and not force:
        raise TestbedError(
            f"The checkout {running[0].owner} runs a testbed on this machine under the same names. "
            "Run `down` there, or `down --force` here."
        )
    found = network.find(podman)
    owners = {one.owner for one in theirs} | ({found.owner} if found else set())
    for owner in owners - {mine, ""}:
        servers.stop_all(Path(owner))
    containers.remove(podman, [one.name for one in theirs])
    if found and found.owner not in (mine, ""):
        network.remove(podman)


def _how_many(wish: Wish, present: Sequence[Container]) -> dict[str, int]:
    """Return how many hosts of each kind there shall be."""
    running = [one.host[0].word for one in present if one.owner and one.host and one.running]
    wanted = {names.RUNNER.word: wish.hosts, names.SERVER.word: wish.servers}
    if not running and wish.hosts is None and not wish.servers:
        return {names.RUNNER.word: DEFAULT_HOSTS}
    return {word: running.count(word) if count is None else count for word, count in wanted.items()}


def _admin_token() -> str:
    """Return the token of the API twin that runs already, or a new one of GitLab's shape."""
    known = inventory.read().get("admin_token") if paths.API_DATABASE.exists() else None
    return str(known) if known else f"glpat-{secrets.token_hex(10)}"


def _serve(found: Sequence[Repositories]) -> None:
    """Bring the repositories together in the folder that is served."""
    paths.WWW.mkdir(parents=True, exist_ok=True)
    wanted = {folder.name: folder for repos in found for folder in repos.www.iterdir()}
    for link in paths.WWW.iterdir():
        if link.name not in wanted:
            link.unlink()
    for name, folder in wanted.items():
        part = paths.WWW / f".{name}"
        part.unlink(missing_ok=True)
        part.symlink_to(folder)
        part.rename(paths.WWW / name)


def _start_servers(wish: Wish, net: Network, token: str) -> None:
    options = ("--db", str(paths.API_DATABASE), "--admin-token", token)
    wanted = [
        servers.Server(REPOSITORY, "testbed.packages", net.gateway, wish.packages_port, ("--root", str(paths.WWW))),
        servers.Server(API, "testbed.gitlab_api", net.gateway, wish.api_port, options),
    ]
    if wish.s3:  # hosts send their backups there themselves, so it is on their network
        wanted.append(servers.Server(S3, "testbed.aws", net.gateway, wish.s3_port))
    for one in wanted:
        servers.ensure(one)


def aws_server(port: int = 8082) -> servers.Server:
    """Return the AWS server, on a loopback address of this testbed's own; it needs no hosts, no podman and no root."""
    second = zlib.crc32(paths.NAME.encode()) % 254 + 1 if paths.NAME else 0
    return servers.Server(AWS, "testbed.aws", f"127.{second}.0.1", port)


def up_aws(port: int = 8082) -> str:
    """Have the AWS server run, alone or beside the hosts; returns its URL."""
    server = aws_server(port)
    servers.ensure(server)
    return server.url


def _bring_hosts(
    podman: Podman, wish: Wish, net: Network, tag: str, count: Mapping[str, int]
) -> tuple[list[containers.Host], list[containers.Host]]:
    present = containers.find(podman)
    image_id = podman("read the image", "image", "inspect", "--format", "{{.Id}}", tag).strip()
    requirements.check_watches(sum(count.values()), requirements.watch_limit())
    hosts = [
        containers.make_host(names.KINDS[word], number, net, tag, image_id)
        for word, many in count.items()
        for number in range(1, many + 1)
    ]
    todo, gone = containers.plan(hosts, present, fresh=wish.fresh)
    if gone:
        ssh.close_connections()
        containers.remove(podman, gone)
    containers.start_all(podman, todo)
    return hosts, todo


def up(wish: Wish) -> inventory.State:
    """Bring the testbed up, or bring what runs up to what is asked for."""
    requirements.check()
    podman = Podman()
    _clear_of_others(podman)
    tag = image.image(podman, os.environ)
    count = _how_many(wish, containers.find(podman))
    repos = {repository.DEFAULT: repository.repositories(os.environ)}
    if count[names.SERVER.word]:
        repos[server_repository.SERVER] = server_repository.repositories(os.environ)
    _serve(list(repos.values()))
    ssh.ensure_key()
    net = network.ensure(podman)
    token = _admin_token()
    with step("Starting hosts and servers"):
        hosts, new = _bring_hosts(podman, wish, net, tag, count)
        _start_servers(wish, net, token)
        containers.wait_for_all(podman, hosts, new)
    state = _state(wish, net, repos, token, tag, hosts)
    inventory.write(state)
    image.tidy(podman)
    say(f"  Up: {_some(len(hosts), 'host')}, {len(new)} new: {paths.INVENTORY}")
    return state


def _state(
    wish: Wish,
    net: Network,
    repos: Mapping[str, Repositories],
    token: str,
    tag: str,
    hosts: Sequence[containers.Host],
) -> inventory.State:
    base = f"http://{net.gateway}:{wish.packages_port}"
    return inventory.State(
        os="custom" if os.environ.get(image.CHOICE) else systems.choose(os.environ).name,
        image=tag,
        subnet=net.subnet,
        gateway=net.gateway,
        api_url=f"http://{net.gateway}:{wish.api_port}",
        s3_url=f"http://{net.gateway}:{wish.s3_port}",
        admin_token=token,
        offers={
            name: inventory.Offer(
                f"{base}/{name}", tuple(f"{base}/{file}" for file in found.key_files), tuple(found.versions)
            )
            for name, found in repos.items()
        },
        repos={name: f"{base}/{name}" for found in repos.values() for name in found.names},
        hosts={host.name: host.address for host in hosts},
    )


def _remove_content(folder: Path, keep: str) -> None:
    for item in folder.iterdir() if folder.exists() else ():
        if item.name == keep:
            continue
        if item.is_dir():
            shutil.rmtree(item)
        else:
            item.unlink()


def _remove_hosts(podman: Podman) -> int:
    """Remove all hosts, with the one that a podman which outlived its killed `up` may still be bringing."""
    count = 0
    while gone := [one.name for one in containers.find(podman) if one.owner]:
        containers.remove(podman, gone)
        count += len(gone)
    return count


def down(*, everything: bool, force: bool) -> None:
    """Take the testbed away, however far an `up` had come."""
    podman = Podman()
    _clear_of_others(podman, force=force)
    stopped = servers.stop_all()
    ssh.forget()
    gone = _remove_hosts(podman)
    net = network.remove(podman)
    clear_left_overs()
    image.clear_left_overs()
    _remove_content(paths.RUN, keep=paths.LOGS.name)  # logs stay, to be read after a failure
    say(f"  Gone: {_some(gone, 'host')}, {_some(stopped, 'server')}, {_some(int(net), 'network')}.")
    if everything:
        removed = image.remove_all(podman)
        _remove_content(paths.CACHE, keep=LOCK)
        say(f"  Gone too: {_some(len(removed), 'image')} and the repository cache.")


def status() -> bool:
    """Print what runs; tells whether all that `up` left is there."""
    podman = Podman()
    state = inventory.read()
    net = network.find(podman)
    print(f"network  {network.NAME}: {net.subnet if net else 'not there'}")
    present = {one.name: one for one in containers.find(podman) if one.owner}
    healthy = bool(state) and net is not None
    hosts = list(state.get("hosts", {}))
    expected = {names.container(name) for name in hosts}
    for name in [*hosts, *(name for name in present if name not in expected)]:
        one = present.get(names.container(name)) or present.get(name)
        address = state.get("hosts", {}).get(name, {}).get("address", "(not in the inventory)")
        word = "not there" if one is None else "running" if one.running else "stopped"
        other = f" for {one.owner}" if one and one.owner != str(paths.ROOT) else ""
        healthy = healthy and word == "running"
        print(f"host     {name} {address}: {word}{other}")
    for name, url in ((API, state.get("api_url")), (REPOSITORY, state.get("repo_url"))):
        pid = servers.running_pid(name)
        healthy = healthy and pid is not None
        print(f"server   {name} {url or ''}: {f'running, pid {pid}' if pid else 'not running'}")
    if pid := servers.running_pid(AWS):
        print(f"server   {AWS}: running, pid {pid}")
    for name, offer in state.get("offers", {}).items():
        print(f"versions {name}: {' '.join(offer['versions'])}")
    return healthy

# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run: `cinc-client -z -c .../solo.rb -j .../dna.json` (or postgresql-bin.json)."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sys
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .. import faults
from ..places import Places, here
from ..releases import Release, release
from . import accounts, database, render, secrets, supervision
from .config import Config, ConfigError, read
from .files import folder, write

BINARIES = "postgresql-bin.json"
NOTES = """
Notes:
Default admin account has been configured with following details:
Username: root
Password: You didn't opt-in to print initial root password to STDOUT.
Password stored to /etc/gitlab/initial_root_password. This file will be cleaned up in first reconfigure run after 24 \
hours.

NOTE: Because these credentials might be present in your log files in plain text, it is highly recommended to reset \
the password following https://docs.gitlab.com/ee/security/reset_user_password.html#reset-your-root-password.
"""


class Tee:
    """Standard output that also goes into the log of the run."""

    def __init__(self, stream: t.TextIO, log: t.TextIO) -> None:
        self.stream, self.log = stream, log

    def write(self, text: str) -> int:
        self.log.write(text)
        self.log.flush()
        return self.stream.write(text)

    def flush(self) -> None:
        self.stream.flush()


def installed(places: Places) -> Release:
    """Return the release of the package that is installed."""
    return release((places.rails / "VERSION").read_text(encoding="utf-8").strip())


def _asked(fault: str, phase: str) -> bool:
    argument = faults.fault(fault)
    return argument is not None and (argument or "migrations") == phase


def _phase(name: str) -> None:
    """Go wrong here if that is asked for."""
    if _asked("reconfigure-killed", name):
        sys.stdout.flush()
        os.kill(os.getpid(), signal.SIGKILL)
    if _asked("reconfigure-fails", name):
        raise ConfigError(f"{name}: the twin was told to fail here")
    if name == "services":
        time.sleep(faults.seconds("reconfigure-slow"))


def _node_file(places: Places) -> Path:
    return places.nodes / f"{socket.getfqdn()}.json"


def _write_node(places: Places, attributes: t.Optional[dict[str, t.Any]]) -> None:
    """Write what Chef knows of the node: until a run ends well there are no attributes in it (observed 5)."""
    node: dict[str, t.Any] = {"name": socket.getfqdn(), "chef_environment": "_default"}
    if attributes is not None:
        node["normal"] = attributes
    write(_node_file(places), json.dumps(node, indent=2) + "\n", mode=0o600)


def _restart(places: Places, found: Release, changed: set[str]) -> None:
    """Restart what runs and has other code or other files than it started with; what is down stays down."""
    mark = places.var / "gitlab-rails/VERSION-reconfigured"
    if write(mark, f"{found.version}\n") and places.bootstrapped.exists():
        changed = changed | set(supervision.WITH_THE_CODE)
    present = [name for name in sorted(changed) if (places.services / name).exists()]
    running = [name for name in present if supervision.is_up(places, name)]
    for name in running:
        print(f"  * runit_service[{name}] action restart", flush=True)
    with ThreadPoolExecutor(max(len(running), 1)) as pool:
        list(pool.map(lambda name: supervision.sv(places, "restart", name), running))


def _services(places: Places, config: Config) -> list[str]:
    """Have the enabled services supervised, and no others; returns those that are new."""
    names = config.services()
    new = supervision.lay_out(places, names)
    supervision.start_supervision(places)
    for name in supervision.disable(places, names):
        print(f"  * runit_service[{name}] action disable", flush=True)
    missing = supervision.wait_for(places, names)
    if missing:
        raise ConfigError(f"runit_service[{missing[0]}] had an error: the supervisor did not take {', '.join(missing)}")
    for name in new:
        print(f"  * runit_service[{name}] action enable", flush=True)
    needed = [name for name in ("postgresql", "redis", "gitaly") if name in new]
    end = time.monotonic() + supervision.WAIT
    while any(not supervision.is_up(places, name) for name in needed):
        if time.monotonic() > end:
            raise ConfigError(f"ruby_block[wait for {needed[0]} service socket] had an error: Timeout::Error")
        time.sleep(0.1)
    return new


def converge(places: Places, found: Release, config: Config) -> None:
    """Make the node what gitlab.rb says."""
    _phase("accounts")
    accounts.ensure_accounts(places, config)
    accounts.ensure_folders(places, config)
    changed = render.render(places, config, secrets.ensure(places, found.numbers))
    database.make_cluster(places, found)
    _phase("services")
    new = _services(places, config)
    _phase("migrations")
    first = not places.bootstrapped.exists()
    migrated = database.migrate(places, config)
    _restart(places, found, changed - set(new))
    database.tidy_password(places)
    _phase("end")
    public = {"gitlab": {"external_url": config.external_url}, "services": config.services()}
    write(places.public_attributes, json.dumps(public, indent=2) + "\n")
    write(places.bootstrapped, "All your bootstraps are belong to Chef\n")
    if first and migrated:
        print(NOTES, flush=True)


def _run(places: Places, recipe: str) -> None:
    found = installed(places)
    runs = "postgresql::bin" if recipe == BINARIES else "gitlab"
    print(f'Infra Phase starting\nResolving cookbooks for run list: ["{runs}"]\nConverging resources', flush=True)
    shutil.rmtree(places.nodes, ignore_errors=True)
    folder(places.nodes, 0o700)
    _write_node(places, None)
    _phase("configuration")
    config = read(places, found.numbers)
    if recipe != BINARIES:
        places.public_attributes.unlink(missing_ok=True)
        converge(places, found, config)
    _write_node(places, config.attributes)
    print("Running handlers:\nRunning handlers complete\nInfra Phase complete", flush=True)


def main() -> int:
    """Run the recipe that -j names; the log goes to /var/log/gitlab/reconfigure."""
    places, words = here(), sys.argv[1:]
    recipe = Path(words[words.index("-j") + 1]).name if "-j" in words else "dna.json"
    os.umask(0o022)
    logs = places.log / "reconfigure"
    logs.mkdir(parents=True, exist_ok=True)
    with (logs / f"{int(time.time())}.log").open("a", encoding="utf-8") as log:
        sys.stdout = t.cast(t.TextIO, Tee(sys.stdout, log))
        try:
            _run(places, recipe)
        except ConfigError as exc:
            text = f"\nThere was an error running gitlab-ctl reconfigure:\n\n{exc}\n"
            log.write(text)
            print(text, file=sys.stderr, flush=True)
            print("Running handlers complete\nInfra Phase failed", flush=True)
            return 1
    return 0

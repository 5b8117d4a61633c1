# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""config.toml and .runner_system_id on disk: read, saved whole and in place without a lock (runner facts 1.1, 1.2)."""

from __future__ import annotations

import os
import re
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from .golang import Duration
from .keys import CONFIG
from .logs import Logger
from .tomlread import DecodeError, Reader
from .tomlwrite import encode
from .traits import Trait, Traits

Entry = dict[str, t.Any]
SYSTEM_ID = re.compile(r"[sr]_[0-9a-zA-Z]{12}")
SYSTEM_ID_FILE = ".runner_system_id"
CONNECTION_MAX_AGE = Duration.seconds(900)
SCHEMA = "https://gitlab.com/gitlab-org/gitlab-runner/common/config#/$ref/properties/runners/items/$ref/properties"


class ConfigError(Exception):
    """The file cannot be loaded; the text is what commands show."""


@dataclass
class Config:
    """One loaded file; data holds known keys only."""

    path: Path
    data: dict[str, t.Any] = field(default_factory=dict)
    mtime_ns: int = 0

    @property
    def runners(self) -> list[Entry]:
        entries: list[Entry] = self.data.setdefault("runners", [])
        return entries

    def number(self, key: str) -> int:
        return int(self.data.get(key, 0))


def default_path() -> Path:
    if os.getuid() == 0:
        return Path("/etc/gitlab-runner/config.toml")
    home = os.environ.get("HOME")
    return Path(home, ".gitlab-runner", "config.toml") if home else Path("config.toml")


def empty(path: Path) -> Config:
    return Config(path, {"concurrent": 1, "session_server": {"session_timeout": 1800}})


def go_error(exc: OSError) -> str:
    """Return the words Go has for an error of the system."""
    return (os.strerror(exc.errno) if exc.errno else str(exc)).lower()


def load(path: Path, traits: Traits) -> Config:
    """Read the file; a missing one is an empty configuration."""
    config = empty(path)
    try:
        config.mtime_ns = path.stat().st_mtime_ns
        raw = path.read_bytes()
    except FileNotFoundError:
        return config
    except OSError as exc:
        raise ConfigError(f"open {path}: {go_error(exc)}") from exc
    try:
        config.data.update(Reader(raw, traits).read(CONFIG))
    except DecodeError as exc:
        raise ConfigError(f"decoding configuration file: {exc}") from exc
    config.data["session_server"].setdefault("session_timeout", 1800)
    config.data.setdefault("connection_max_age", CONNECTION_MAX_AGE)
    if traits.has(Trait.EXPANDED_VARIABLES):
        for entry in config.runners:
            entry.update({key: expand(entry[key]) for key in ("url", "token") if key in entry})
    return config


def expand(text: str) -> str:
    """Replace $VAR and ${VAR} as os.ExpandEnv does: unset ones become nothing."""
    return re.sub(r"\$(?:\{(\w+)\}|(\w+))", lambda found: os.environ.get(found[1] or found[2], ""), text)


def _against_schema(config: Config) -> str:
    """Return the first thing that the schema check does not like."""
    for number, entry in enumerate(config.runners):
        if entry.get("token", "") == "":
            return (
                f"'/runners/{number}/token' does not validate with {SCHEMA}/token/minLength: "
                "length must be >= 1, but got 0"
            )
        scaler = entry.get("autoscaler")
        if scaler is not None and "plugin_config" not in scaler:
            return (
                f"'/runners/{number}/autoscaler/plugin_config' does not validate with {SCHEMA}/autoscaler/$ref/"
                "properties/plugin_config/$ref/type: expected object, but got null"
            )
    return ""


def warn_schema(config: Config, logger: Logger) -> None:
    """Say what the schema check says; nothing depends on it."""
    said = _against_schema(config)
    if said:
        logger.info(
            "There might be a problem with your config based on jsonschema annotations in common/config.go "
            f"(experimental feature):\njsonschema: {said}\n"
        )


def text_of(config: Config, traits: Traits) -> str:
    return encode(config.data, CONFIG, traits)


def save(config: Config, traits: Traits) -> None:
    """Write the whole file over the old one: inode, owner and mode of that stay."""
    text = text_of(config, traits)
    try:
        config.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(config.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as exc:
        raise ConfigError(f"open {config.path}: {go_error(exc)}") from exc


def _machine_id() -> str:
    for name in ("/var/lib/dbus/machine-id", "/etc/machine-id"):
        try:
            found = Path(name).read_text(encoding="ascii").strip()
        except OSError:
            continue
        if found:
            return found
    return ""


def new_system_id() -> str:
    """Return s_ and what the machine's id gives; r_ and something random where it has none."""
    import hashlib
    import hmac
    import secrets
    import string

    machine = _machine_id()
    if machine:
        return "s_" + hmac.new(machine.encode(), b"gitlab-runner", hashlib.sha256).hexdigest()[:12]
    return "r_" + "".join(secrets.choice(string.ascii_letters + string.digits) for _unused in range(12))


def system_id(config_path: Path, logger: Logger) -> str:
    """Return this runner manager's id, made and kept beside the configuration when missing or damaged."""
    file = config_path.parent / SYSTEM_ID_FILE
    try:
        found = file.read_bytes().decode("ascii", "replace").strip()
    except OSError:
        found = ""
    if SYSTEM_ID.fullmatch(found):
        return found
    made = new_system_id()
    logger.info("Created missing unique system ID", {"system_id": made})
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as handle:
            handle.write(made)
    except OSError as exc:
        logger.warning(f"Couldn't save new system ID on state file. {go_error(exc)}", {"state_file": str(file)})
    return made

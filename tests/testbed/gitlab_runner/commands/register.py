# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`register`: makes the runner known and appends an entry to config.toml; never looks for an equal one (4.2)."""

from __future__ import annotations

import socket
import typing as t
from pathlib import Path

from .. import tokens
from ..app import CONFIG_FLAG, App
from ..config import Config, ConfigError, Entry
from ..flags import Flag, Values, flag
from ..golang import now
from ..keys import CONFIG, DOCKER_EXECUTORS, EXECUTORS
from ..logs import Fatal
from ..network import Credentials, Network
from ..runner_flags import complete, entry_flags, entry_of, merged
from ..tomlread import DecodeError, Reader
from ..traits import Trait

SERVER_FLAGS = (
    flag("tag-list", env="RUNNER_TAG_LIST", default="", usage="Tag list"),
    flag("run-untagged", "b", "REGISTER_RUN_UNTAGGED", False, "Register to run untagged builds"),
    flag("locked", "b", "REGISTER_LOCKED", True, "Lock Runner for current project"),
    flag("access-level", env="REGISTER_ACCESS_LEVEL", default="", usage="Access level of the runner"),
    flag("maximum-timeout", "i", "REGISTER_MAXIMUM_TIMEOUT", 0, "Maximum job timeout in seconds"),
    flag("paused", "b", "REGISTER_PAUSED", False, "Set Runner to be paused"),
    flag("maintenance-note", env="REGISTER_MAINTENANCE_NOTE", default="", usage="Runner maintenance notes"),
)
NAMES_OF_SERVER_FLAGS = (
    "--locked, --access-level, --run-untagged, --maximum-timeout, --paused, --tag-list, and --maintenance-note"
)
RESERVED = (
    "Runner configuration other than name and executor configuration is reserved (specifically {names}) and cannot be "
    "specified when registering with a runner authentication token. This configuration is specified on the GitLab "
    "server. Please try again without specifying any of those arguments. For more information, see {docs}"
    "#changes-to-the-gitlab-runner-register-command-syntax"
)
IGNORED = (
    "You have specified an authentication token in the legacy parameter --registration-token. This has triggered the "
    "'legacy-compatible registration process' which has resulted in the following command line parameters being "
    "ignored: {names}. For more information, see {docs}#changes-to-the-gitlab-runner-register-command-syntax. These "
    "parameters and the legacy-compatible registration process will be removed in a future GitLab Runner release."
)
DEPRECATED = (
    "Support for registration tokens and runner parameters in the 'register' command has been deprecated in GitLab "
    "Runner 15.6 and will be replaced with support for authentication tokens. For more information, see {docs}"
)
REGISTERED = (
    "Runner registered successfully. Feel free to start it, but if it's running already the config should be "
    "automatically reloaded!\n"
)


def flags(_app: App) -> t.Sequence[Flag]:
    return (
        CONFIG_FLAG,
        flag("template-config", env="TEMPLATE_CONFIG_FILE", usage="Path to the configuration template file"),
        flag("non-interactive n", "b", "REGISTER_NON_INTERACTIVE", usage="Run registration unattended"),
        flag("leave-runner", "b", "REGISTER_LEAVE_RUNNER", usage="Don't remove runner if registration fails"),
        flag("registration-token r", env="REGISTRATION_TOKEN", usage="Runner's registration token"),
        *SERVER_FLAGS,
        *(one for _unused, one in entry_flags()),
    )


def _say(app: App, text: str) -> str:
    part = (
        "ee/ci/runners/new_creation_workflow.html"
        if app.traits.has(Trait.DOCS_EE_LINKS)
        else ("ci/runners/new_creation_workflow/")
    )
    return text.format(names=NAMES_OF_SERVER_FLAGS, docs=f"https://docs.gitlab.com/{part}")


def _template(app: App, values: Values) -> Entry:
    """Return the template's entry; its token does not count."""
    name = values.text("template-config")
    if not name:
        return {}
    app.logger.info(f'Merging configuration from template file "{name}"')
    failed = "Could not handle configuration merging from template file"
    try:
        entries = Reader(Path(name).read_bytes(), app.traits).read(CONFIG).get("runners", [])
    except OSError as exc:
        app.logger.fatal(
            failed, {"error": f"couldn't load configuration template file: open {name}: {(exc.strerror or '').lower()}"}
        )
    except DecodeError as exc:
        app.logger.fatal(failed, {"error": f"couldn't load configuration template file: {exc}"})
    if len(entries) != 1:
        app.logger.fatal(failed, {"error": "configuration template must contain exactly one [[runners]] entry"})
    return {key: value for key, value in entries[0].items() if key != "token"}


def _server_settings(values: Values) -> dict[str, t.Any]:
    """Return the body of the legacy call in its order; empty ones are left out."""
    names = ("maintenance-note", "tag-list", "run-untagged", "locked", "access-level", "maximum-timeout", "paused")
    found = {name.replace("-", "_"): values.get(name) for name in names}
    return {key: value for key, value in found.items() if isinstance(value, bool) or value}


def _obtain(app: App, network: Network, entry: Entry, values: Values, system_id: str) -> None:
    """Verify or register, as the kind of token wants it; put id and token into the entry."""
    token, registration = entry.get("token", ""), values.text("registration-token")
    if not token and not registration:
        app.logger.panic("The registration-token needs to be entered")
    if not token and tokens.is_created(registration):
        app.logger.warning(_say(app, IGNORED))
        token = registration
    elif tokens.is_created(token) and any(values.get(one.name) != one.default for one in SERVER_FLAGS):
        app.logger.fatal(_say(app, RESERVED))
    if token:
        entry["token"] = token
        _verify(app, network, entry, system_id)
        return
    app.logger.warning(_say(app, DEPRECATED))
    entry["token"] = registration
    credentials = network.register(entry, {"description": entry["name"], **_server_settings(values)})
    if credentials is None:
        app.logger.panic("Failed to register the runner.")
    _take(entry, credentials, credentials.token)


def _verify(app: App, network: Network, entry: Entry, system_id: str) -> None:
    created = tokens.is_created(entry["token"])
    if not created:
        app.logger.info("Token specified trying to verify runner...")
        app.logger.warning("If you want to register use the '-r' instead of '-t'.")
    outcome, credentials = network.verify(entry, system_id)
    if outcome != "valid" or (created and not credentials.runner_id):
        app.logger.panic("Failed to verify the runner.")
    _take(entry, credentials if created else Credentials("", 0, credentials.expires_at), entry["token"])


def _take(entry: Entry, credentials: Credentials, token: str) -> None:
    entry.update(
        id=credentials.runner_id, token=token, token_obtained_at=now(), token_expires_at=credentials.expires_at
    )


def _executor(app: App, entry: Entry) -> Entry:
    """Check what an executor needs; return the entry as it will be saved."""
    executor = entry.get("executor", "")
    if executor not in EXECUTORS:
        app.logger.panic("Invalid executor specified")
    docker = entry.get("docker", {})
    if executor in DOCKER_EXECUTORS:
        if not docker.get("image"):
            app.logger.panic("The docker-image needs to be entered")
        if not docker.get("disable_cache") and "/cache" not in docker.get("volumes", []):
            entry["docker"] = {**docker, "volumes": [*docker.get("volumes", []), "/cache"]}
    if executor == "ssh" and not entry.get("ssh", {}).get("host"):
        app.logger.panic("The ssh-host needs to be entered")
    if app.traits.has(Trait.EMPTY_CUSTOM_BUILD_DIR):
        entry.setdefault("custom_build_dir", {})
    return complete(entry, executor)


def _append(app: App, config: Config, entry: Entry) -> None:
    config.runners.append(_executor(app, entry))
    try:
        app.save(config)
    except ConfigError as exc:
        app.logger.panic(f"saving the file: {exc}")


def run(app: App, values: Values) -> int:
    app.announce_mode()
    try:
        config, system_id = app.load(app.path(values))
    except ConfigError as exc:
        app.logger.panic(str(exc))
    entry = merged(_template(app, values), entry_of(values))
    if not entry.get("url"):
        app.logger.panic("The url needs to be entered")
    entry.setdefault("name", socket.gethostname())
    if any(one.get("token") == entry.get("token") for one in config.runners if entry.get("token")):
        app.logger.warning("A runner with this system ID and token has already been registered.")
    network = app.network()
    _obtain(app, network, entry, values, system_id)
    try:
        _append(app, config, entry)
    except Fatal:
        if not values.on("leave-runner"):
            network.unregister(entry, system_id)
        raise
    app.logger.info(REGISTERED)
    app.logger.info(f'Configuration (with the authentication token) was saved in "{config.path}"')
    return 0

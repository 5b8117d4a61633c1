# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Flags that set keys of an entry: made from the table of keys (runner facts 4.2)."""

from __future__ import annotations

import re
import typing as t

from .config import Entry
from .flags import Flag, Values, flag
from .golang import ZERO_TIME, parse_duration
from .keys import RUNNER, Key

# Plain keys whose flag or environment variable does not follow the rule RUNNER_<KEY>.
ENV = {
    "url": "CI_SERVER_URL",
    "token": "CI_SERVER_TOKEN",
    "tls-ca-file": "CI_SERVER_TLS_CA_FILE",
    "tls-cert-file": "CI_SERVER_TLS_CERT_FILE",
    "tls-key-file": "CI_SERVER_TLS_KEY_FILE",
    "clone_url": "CLONE_URL",
    "environment": "RUNNER_ENV",
}
NAMES = {"name": "name description", "url": "url u", "token": "token t", "environment": "env"}
SECTION_NAMES = {("docker", "tls_verify"): "docker-tlsverify", ("docker", "tls_cert_path"): "docker-cert-path"}
SECTIONS = (
    "docker",
    "cache",
    "custom",
    "ssh",
    "kubernetes",
    "machine",
    "parallels",
    "virtualbox",
    "custom_build_dir",
    "artifact",
)
NOT_FLAGS = frozenset(("id", "token_obtained_at", "token_expires_at"))
FLAG_KINDS = {"s": "s", "i": "i", "b": "b", "ls": "l", "ms": "m", "mb": "m", "p": "l", "d": "s", "f": "s"}
# Which tables of a template an executor keeps.
EXECUTOR_TABLES: t.Mapping[str, frozenset[str]] = {
    "docker": frozenset(("docker",)),
    "docker-windows": frozenset(("docker",)),
    "docker+machine": frozenset(("docker", "machine")),
    "docker-autoscaler": frozenset(("docker", "autoscaler")),
    "instance": frozenset(("instance", "autoscaler")),
    "kubernetes": frozenset(("kubernetes",)),
    "custom": frozenset(("custom",)),
    "ssh": frozenset(("ssh",)),
    "parallels": frozenset(("parallels", "ssh")),
    "virtualbox": frozenset(("virtualbox", "ssh")),
}
ALL_EXECUTOR_TABLES = frozenset(name for names in EXECUTOR_TABLES.values() for name in names)
EMPTY_CACHE: t.Mapping[str, t.Any] = {"s3": {}, "gcs": {}, "azure": {}}


def dashed(name: str) -> str:
    """ServerAddress and cpuset_cpus become server-address and cpuset-cpus."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).replace("_", "-").lower()


def _flag(names: str, key: Key, env: str) -> Flag:
    return flag(names, FLAG_KINDS[key.kind], env, usage=f"Sets {key.name}")


def _walk(keys: t.Mapping[str, Key], path: tuple[str, ...]) -> t.Iterator[tuple[tuple[str, ...], Flag]]:
    for key in keys.values():
        if key.kind == "table":
            yield from _walk(key.keys, (*path, key.name))
        elif key.kind in FLAG_KINDS:
            name = SECTION_NAMES.get((path[0], key.name), "-".join(dashed(part) for part in (*path, key.name)))
            env = "" if key.name.endswith("_args") else name.upper().replace("-", "_")
            yield (*path, key.name), _flag(name, key, env)


def entry_flags() -> list[tuple[tuple[str, ...], Flag]]:
    """Return each flag with the place in an entry that it sets."""
    found: list[tuple[tuple[str, ...], Flag]] = []
    for key in RUNNER.values():
        if key.kind in FLAG_KINDS and key.name not in NOT_FLAGS:
            env = ENV.get(
                key.name,
                "FEATURE_FLAGS" if key.name == "feature_flags" else "RUNNER_" + key.name.upper().replace("-", "_"),
            )
            found.append(((key.name,), _flag(NAMES.get(key.name, dashed(key.name)), key, env)))
        elif key.name in SECTIONS:
            found.extend(_walk(key.keys, (key.name,)))
    return found


def _converted(kind: str, value: t.Any) -> t.Any:
    if kind == "mb":
        return {name: text in ("", "true", "1") for name, text in value.items()}
    if kind == "d":
        return parse_duration(value)
    return float(value) if kind == "f" else value


def _kind(path: tuple[str, ...]) -> str:
    keys: t.Mapping[str, Key] = RUNNER
    for part in path[:-1]:
        keys = keys[part].keys
    return keys[path[-1]].kind


def entry_of(values: Values) -> Entry:
    """Return what the flags say about an entry."""
    entry: Entry = {}
    for path, one in entry_flags():
        if one.name not in values.given:
            continue
        place = entry
        for part in path[:-1]:
            place = place.setdefault(part, {})
        place[path[-1]] = _converted(_kind(path), values.given[one.name])
    return entry


def merged(template: t.Mapping[str, t.Any], given: t.Mapping[str, t.Any]) -> Entry:
    """Lay what was given over a template."""
    result: Entry = dict(template)
    for key, value in given.items():
        old = result.get(key)
        result[key] = merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result


def complete(entry: Entry, executor: str) -> Entry:
    """Give an entry what every registered one has, and take away the tables of other executors."""
    kept = EXECUTOR_TABLES.get(executor, frozenset())
    result = {key: value for key, value in entry.items() if key not in ALL_EXECUTOR_TABLES or key in kept}
    for name in ("docker", "machine", "kubernetes", "custom", "ssh", "parallels", "virtualbox"):
        if name in kept:
            result.setdefault(name, {})
    result["cache"] = merged(EMPTY_CACHE, result.get("cache", {}))
    result.setdefault("token_obtained_at", ZERO_TIME)
    result.setdefault("token_expires_at", ZERO_TIME)
    return result

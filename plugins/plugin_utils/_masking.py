# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps secrets out of diffs and messages."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _config_schema as schema
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._config_schema import Key, Kind

MASK = "********"
CHANGED_MASK = "******** (changed)"


def secrets(config: t.Mapping[str, t.Any]) -> set[str]:
    """Every secret string in a parsed config.toml, also below keys in another case and in unknown spellings."""
    return set(_walk(config, schema.GLOBAL))


def _walk(table: t.Mapping[str, t.Any], keys: t.Mapping[str, Key]) -> t.Iterator[str]:
    folded = {name.casefold(): key for name, key in keys.items()}
    for name, value in table.items():
        key = folded.get(name.casefold())
        if key is not None and key.secret:
            yield from _strings(value)
        elif isinstance(value, dict):
            yield from _walk(value, key.keys if key else {})
        elif isinstance(value, list) and key is not None and key.kind is Kind.TABLES:
            for entry in value:
                if isinstance(entry, dict):
                    yield from _walk(entry, key.keys)


def _strings(value: t.Any) -> t.Iterator[str]:
    if isinstance(value, str) and value:
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)


def _shown(secret: str, mask: str) -> str:
    """What stands in its place: of `environment`'s KEY=VALUE the name may be shown."""
    name, sep, _rest = secret.partition("=")
    return f"{name}={mask}" if sep and name.isidentifier() else mask


def masked(text: str, hidden: t.Iterable[str], mask: str = MASK) -> str:
    """The text without the hidden strings, as they are and as TOML escapes them; longest first."""
    for secret in sorted(hidden, key=len, reverse=True):
        for form in (secret, json.dumps(secret, ensure_ascii=False)[1:-1]):
            text = text.replace(form, _shown(secret, mask))
    return text


def masked_diff(before: str, after: str, known: set[str], wanted: set[str], path: str) -> dict[str, str]:
    """A diff without secrets in which a changed secret can still be seen to change."""
    new = wanted - known
    return {
        "before": masked(before, known | new),
        "after": masked(masked(after, new, CHANGED_MASK), known),
        "before_header": path,
        "after_header": path,
    }


def without_secrets(config: t.Any, hidden: t.Collection[str] | None = None) -> t.Any:
    """A parsed config.toml with every secret masked; dates become text, as a result can hold no others."""
    hidden = secrets(config) if hidden is None else hidden
    if isinstance(config, dict):
        return {name: without_secrets(value, hidden) for name, value in config.items()}
    if isinstance(config, list):
        return [without_secrets(value, hidden) for value in config]
    if isinstance(config, str):
        return _shown(config, MASK) if config in hidden else config
    return config.isoformat() if hasattr(config, "isoformat") else config

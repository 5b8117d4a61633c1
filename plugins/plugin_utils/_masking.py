# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps secrets out of diffs and messages."""

from __future__ import annotations

import json
import re
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _config_schema as schema
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._config_key import Key, Kind
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._toml_edit import TomlError, parse

MASK = "********"
CHANGED_MASK = "******** (changed)"
MASKED = re.compile(r"(\w+=)?\*{8}( \(changed\))?")
# In tables whose keys are a plugin's own, and in keys that are not known: by their names.
SOUNDS_SECRET = re.compile(r"(token|secret|password|passphrase|private_?key|access_?key)$", re.IGNORECASE)
NOT_SHOWN = "(not shown: it writes a secret in a way that can't be masked)\n"


def secrets(config: t.Mapping[str, t.Any]) -> set[str]:
    """Every secret string in a parsed config.toml, also below keys in another case and in unknown spellings."""
    return set(_walk(config, schema.GLOBAL))


def _walk(table: t.Mapping[str, t.Any], keys: t.Mapping[str, Key]) -> t.Iterator[str]:
    folded = {name.casefold(): key for name, key in keys.items()}
    for name, value in table.items():
        key = folded.get(name.casefold())
        if key.secret if key is not None else SOUNDS_SECRET.search(name):
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


def masked(text: str, hidden: t.Collection[str], new: t.Collection[str] = ()) -> str:
    """The text without the hidden strings, as they are and as TOML escapes them; longest first.

    A text in which one is written in yet another way (TOML knows many) is not shown at all.
    """
    for secret in sorted(hidden, key=len, reverse=True):
        for form in (secret, json.dumps(secret, ensure_ascii=False)[1:-1]):
            text = text.replace(form, _shown(secret, CHANGED_MASK if secret in new else MASK))
    return text if _all_masked(text) else NOT_SHOWN


def _all_masked(text: str) -> bool:
    try:
        return all(MASKED.fullmatch(secret) for secret in secrets(parse(text, "")))
    except TomlError:  # a secret was part of the syntax
        return False


def masked_diff(before: str, after: str, known: set[str], wanted: set[str], path: str) -> dict[str, str]:
    """A diff without secrets in which a changed secret can still be seen to change."""
    both = known | wanted
    return {
        "before": masked(before, both),
        "after": masked(after, both, wanted - known),
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

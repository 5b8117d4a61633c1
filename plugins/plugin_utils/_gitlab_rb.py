# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""gitlab.rb as a whole file from typed settings, and what can be seen to be wrong with it: pure functions."""

from __future__ import annotations

import math
import re
import typing as t
import urllib.parse

HEAD = "# Managed by fleetwright.gitlab_aws.gitlab_server"
_NOTE = "the whole file is written from gitlab_server_config and gitlab_server_config_extra."
# Methods that take their value as an argument; every other table is assigned key by key.
METHODS_WITH_TABLES = ("git_data_dirs",)
EXTERNAL_URL = re.compile(r"^[ \t]*external_url\b", re.MULTILINE)
# The package takes it for "no URL" and does not configure itself (server facts 4.4).
PLACEHOLDER = "gitlab.example.com"
_NAME = re.compile(r"[a-z_][A-Za-z0-9_]*")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_RULED = re.compile(r'[\\"\x00-\x1f\x7f]|#(?=[{$@])')


class ConfigError(ValueError):
    """The declared configuration can't be written; the text says what to do."""


def render(external_url: str, config: t.Mapping[str, t.Any], extra: str = "") -> str:
    """The text of gitlab.rb: settings sorted by name, then the free-form part as it is.

    Raises ConfigError with everything that is wrong.
    """
    faults = [*_url_faults(external_url), *_faults(config), *_extra_faults(extra)]
    if faults:
        raise ConfigError(" ".join(faults))
    lines = [f"{HEAD}: {_NOTE}", f"external_url {literal(external_url)}", ""]
    for name, value in sorted(config.items()):
        lines += _setting(name, value)
    if extra.strip():
        lines += ["", "# gitlab_server_config_extra", extra.strip("\n")]
    return "\n".join(lines).rstrip("\n") + "\n"


def _setting(name: str, value: t.Any) -> list[str]:
    if isinstance(value, t.Mapping) and name in METHODS_WITH_TABLES:
        return [f"{name}({literal(value)})"]
    if isinstance(value, t.Mapping):
        return [f"{name}[{literal(str(key))}] = {literal(inner)}" for key, inner in sorted(value.items())]
    return [f"{name} {literal(value)}"]


def literal(value: t.Any) -> str:
    """A value as Ruby writes it, so that reading it brings back the same one."""
    if value is None:
        return "nil"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, str):
        return _double(value) if _CONTROL.search(value) else _single(value)
    if isinstance(value, t.Mapping):
        pairs = (f"{literal(str(key))} => {literal(inner)}" for key, inner in sorted(value.items()))
        inside = ", ".join(pairs)
        return f"{{ {inside} }}" if inside else "{}"
    return "[" + ", ".join(map(literal, value)) + "]"


def _double(text: str) -> str:
    """For text of several lines: one line of Ruby."""
    return '"' + _RULED.sub(lambda found: _escaped(found[0]), text) + '"'


def _escaped(found: str) -> str:
    if found == "#":  # "#{...}" would be run
        return "\\#"
    return _ESCAPES.get(found) or f"\\x{ord(found):02X}"


def _single(text: str) -> str:
    """Nothing but these two is special there: #{} is text."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _url_faults(url: str) -> t.Iterator[str]:
    """Faults of external_url; it must be a real one, because the package decides by it whether it configures itself."""
    if not url:
        yield "gitlab_server_external_url is missing; give the address that people and runners will use."
        return
    parts = urllib.parse.urlsplit(url)
    try:
        port = parts.port or 0
    except ValueError:
        port = -1
    if parts.scheme not in ("http", "https") or not parts.hostname or port < 0 or re.search(r"\s", url):
        yield f"gitlab_server_external_url {url!r} is no http or https URL; give one such as https://gitlab.corp.test."
    elif parts.username or parts.query or parts.fragment:
        yield "gitlab_server_external_url must have no user, query or fragment; leave them out."
    elif parts.hostname == PLACEHOLDER:
        yield (
            f"gitlab_server_external_url is {PLACEHOLDER}, which the package takes for no address at all, so that it "
            "would not configure itself. Give the real one."
        )


def _faults(config: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    for name, value in config.items():
        place = f"gitlab_server_config.{name}"
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            yield f"{place}: {name!r} is no name of a setting; use those of gitlab.rb, such as gitlab_rails or nginx."
        elif name == "external_url":
            yield f"{place}: set gitlab_server_external_url instead."
        elif isinstance(value, t.Mapping) and not value and name not in METHODS_WITH_TABLES:
            yield f"{place} is empty; give it keys or leave it out."
        else:
            yield from _value_faults(place, value)


def _value_faults(place: str, value: t.Any) -> t.Iterator[str]:
    if isinstance(value, t.Mapping):
        for key, inner in value.items():
            if not isinstance(key, (str, int)) or isinstance(key, bool):
                yield f"{place}: the key {key!r} must be text; quote it (YAML reads on, yes and no as booleans)."
            else:
                yield from _value_faults(f"{place}.{key}", inner)
    elif isinstance(value, (list, tuple)):
        for number, inner in enumerate(value):
            yield from _value_faults(f"{place}[{number}]", inner)
    elif isinstance(value, str) and "\x00" in value:
        yield f"{place} holds a zero byte; remove it."
    elif isinstance(value, float) and not math.isfinite(value):
        yield f"{place} is {value}, which Ruby can't read; give a finite number."
    elif value is not None and not isinstance(value, (bool, int, float, str)):
        kind = type(value).__name__.replace("_AnsibleTagged", "").lower()  # Ansible's own kind of what YAML reads
        yield f"{place} is a {kind}, which gitlab.rb has no form for; quote it, so that it is text."


def _extra_faults(extra: str) -> t.Iterator[str]:
    if EXTERNAL_URL.search(extra):
        yield "gitlab_server_config_extra sets external_url; set gitlab_server_external_url instead."


def foreign(text: str | None) -> bool:
    """Whether the file holds settings that this collection did not write.

    The package's own template, in which everything but external_url is a comment, holds none.
    """
    if text is None or text.startswith(HEAD):
        return False
    lines = (line.strip() for line in text.splitlines())
    return any(line and not line.startswith("#") and not EXTERNAL_URL.match(line) for line in lines)

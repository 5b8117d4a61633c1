# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a value in config.toml already means what is declared.

The daemon writes values its own way when it saves (C("60s") becomes C("1m0s"), an explicit C(false) is dropped,
a single pull policy becomes a list: runner facts 1.2 and 1.5). Taking that for a difference would never settle.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._config_key import Key, Kind

_UNITS = {"ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_DURATION = re.compile(r"([0-9]*\.?[0-9]+)(ns|us|µs|μs|ms|s|m|h)")


def nanoseconds(value: object) -> int | None:
    """A Go duration in nanoseconds; a bare integer is nanoseconds already; None when it is no duration."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if not isinstance(value, str) or not value:
        return None
    sign, text = (-1, value[1:]) if value.startswith("-") else (1, value)
    if text == "0":
        return 0
    parts = _DURATION.findall(text)
    if "".join(number + unit for number, unit in parts) != text:
        return None
    return sign * int(sum(float(number) * _UNITS[unit] for number, unit in parts))


def same(key: Key | None, current: t.Any, desired: t.Any) -> bool:
    """Whether a present value means the same as the declared one."""
    if key is not None and key.kind is Kind.DURATION:
        return nanoseconds(current) == nanoseconds(desired)
    if key is not None and key.kind is Kind.STRING_OR_STRINGS:
        return bool(_listed(current) == _listed(desired))
    if isinstance(current, bool) != isinstance(desired, bool):
        return False
    return bool(current == desired)


def same_as_absent(key: Key | None, desired: t.Any) -> bool:
    """Whether an absent key means the same as the declared value."""
    if key is None or key.kept:
        return False
    # Only a duration's "0s" is nothing: the text "0" means something elsewhere (cpuset_cpus).
    return not desired or (key.kind is Kind.DURATION and nanoseconds(desired) == 0)


def _listed(value: t.Any) -> t.Any:
    return [value] if isinstance(value, str) else value

# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values as Go prints and reads them: durations, times, signals."""

from __future__ import annotations

import re
import signal
import time
from dataclasses import dataclass

UNITS = {"ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
SIGNAL_NAMES = {
    signal.SIGTERM: "terminated",
    signal.SIGINT: "interrupt",
    signal.SIGQUIT: "quit",
    signal.SIGHUP: "hangup",
    signal.SIGKILL: "killed",
}
ZERO_TIME = "0001-01-01T00:00:00Z"
TIME = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)?")


class GoPanic(Exception):
    """The program crashes as a Go program does: a stack trace and exit status 2."""


@dataclass(frozen=True)
class Duration:
    """A time.Duration."""

    nanoseconds: int

    @classmethod
    def seconds(cls, value: float) -> Duration:
        return cls(round(value * 10**9))

    @property
    def in_seconds(self) -> float:
        return self.nanoseconds / 10**9

    def __str__(self) -> str:
        """Return what Duration.String() gives: 15m0s, 1.5s, 30ns, 0s."""
        value = abs(self.nanoseconds)
        sign = "-" if self.nanoseconds < 0 else ""
        if value == 0:
            return "0s"
        for unit in ("ns", "µs", "ms"):
            if value < UNITS[unit] * 1000:
                return f"{sign}{_fraction(value, UNITS[unit])}{unit}"
        minutes, rest = divmod(value, UNITS["m"])
        hours, minutes = divmod(minutes, 60)
        text = f"{_fraction(rest, UNITS['s'])}s"
        if hours:
            return f"{sign}{hours}h{minutes}m{text}"
        return f"{sign}{minutes}m{text}" if minutes else sign + text


def _fraction(value: int, unit: int) -> str:
    whole, rest = divmod(value, unit)
    if not rest:
        return str(whole)
    digits = str(rest).rjust(len(str(unit)) - 1, "0").rstrip("0")
    return f"{whole}.{digits}"


def parse_duration(text: str) -> Duration:
    """Read 1h30m; raises ValueError where time.ParseDuration fails."""
    body = text[1:] if text[:1] in "+-" else text
    parts = re.findall(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)", body)
    if body != "0" and (not parts or "".join(number + unit for number, unit in parts) != body):
        raise ValueError(f'time: invalid duration "{text}"')
    total = sum(round(float(number) * UNITS[unit]) for number, unit in parts)
    return Duration(-total if text.startswith("-") else total)


@dataclass(frozen=True)
class Signal:
    """An os.Signal: a word in text, a number in JSON."""

    number: int

    def __str__(self) -> str:
        return SIGNAL_NAMES.get(signal.Signals(self.number), f"signal {self.number}")


def rfc3339(nanoseconds: int) -> str:
    """Return a moment in UTC with the digits it needs (time.RFC3339Nano)."""
    seconds, rest = divmod(nanoseconds, 10**9)
    fraction = f".{rest:09d}".rstrip("0") if rest else ""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + fraction + "Z"


def now() -> str:
    """Return this moment, whole seconds, in UTC."""
    return rfc3339(time.time_ns() // 10**9 * 10**9)


def normal_time(text: str) -> str:
    """Return a TOML date as Go writes it back: capital letters, no zeros at the end."""
    found = TIME.fullmatch(text)
    if not found:
        raise ValueError(f"not a date: {text}")
    fraction = (found[3] or "").rstrip("0").rstrip(".")
    zone = (found[4] or "Z").upper()
    return f"{found[1]}T{found[2]}{fraction}{'Z' if zone == '+00:00' else zone}"


def epoch(text: str) -> float:
    """Return seconds since 1970 of a date in RFC 3339."""
    import datetime

    found = TIME.fullmatch(text)
    if not found:
        raise ValueError(f"not a date: {text}")
    zone = "+00:00" if found[4] in ("Z", "z", None) else found[4]
    moment = datetime.datetime.fromisoformat(f"{found[1]}T{found[2]}{zone}")
    return (moment - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)).total_seconds() + float(found[3] or 0)

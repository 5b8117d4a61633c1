# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shell commands around the backup program on a host, and what their output means.

A backup takes hours. It runs as a systemd unit of its own, so that a connection that dies does not end it, and whoever
connects again finds it there.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import re
import shlex
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _backup_main

UNIT = "fleetwright-gitlab-backup-now.service"
PROGRAM = "backup.pyz"
PYTHON = "/usr/bin/python3"
LOOK_SECONDS = 3.0
_PAUSE = 0.2

_FIRST = r"""export LC_ALL=C
cd {state} 2>/dev/null && {{
  sha256sum {program} 2>/dev/null | sed 's/^\([0-9a-f]*\)  \(.*\)$/sum \2 \1/'
  test ! -e answer.json || echo 'answered yes'
}}
systemctl is-active -q {unit} && echo 'running yes'
echo end
"""
_INSTALL = r"""set -e
umask 077
mkdir -p {state}
cat > {state}/{program}.new
sync {state}/{program}.new
mv -f {state}/{program}.new {state}/{program}
"""
_START = r"""export LC_ALL=C
umask 077
cd {state} || exit 1
request=$(mktemp {once}XXXXXXXX) || exit 1
trap 'rm -f "$request"' EXIT HUP INT TERM
cat > "$request" || exit 1
systemctl is-active -q {unit} && {{ echo 'another run is at work there since a moment' >&2; exit 1; }}
rm -f answer.json
systemd-run --quiet --collect --unit={unit} \
  {python} {state}/{program} {command} {state}/"$request" {state}/answer.json || exit 1
trap - EXIT HUP INT TERM
"""
_LOOK = r"""n=0
while systemctl is-active -q {unit} && test $n -lt {times}; do sleep {pause}; n=$((n + 1)); done
systemctl is-active -q {unit} && echo 'running yes'
cd {state} && for f in answer last; do
  test ! -f $f.json || printf '%s %s\n' $f "$(base64 -w0 $f.json)"
done
echo end
"""
_ASK = "{python} {program} {command} - -"


@dataclasses.dataclass(frozen=True)
class First:
    """What the first look at a host found: checksums by file, and whether something of a playbook's is at work.

    answered: the folder has the answer of a run that ended. Whatever is at work then works in another folder.
    """

    sums: t.Mapping[str, str]
    running: bool
    answered: bool = False


@dataclasses.dataclass(frozen=True)
class Look:
    """A look at the program at work; answer is there once it has ended, last is what it said of itself.

    asked is the checksum of the request that the answer is to.
    """

    running: bool
    answer: dict[str, t.Any] | None
    last: dict[str, t.Any] | None
    asked: str = ""


class HostError(Exception):
    """The host's answer is none; the text says what to do."""


def first(state_path: str) -> str:
    return _FIRST.format(state=shlex.quote(state_path), program=PROGRAM, unit=UNIT)


def read_first(output: str) -> First:
    _whole(output)
    sums = dict(re.findall(r"^sum (\S+) ([0-9a-f]{64})\s*$", output, re.MULTILINE))
    return First(sums, "running yes" in output, "answered yes" in output)


def install(state_path: str) -> str:
    """Put the program that comes on standard input in its place."""
    return _INSTALL.format(state=shlex.quote(state_path), program=PROGRAM)


def start(state_path: str, command: str) -> str:
    """Start the program with the request that comes on standard input, and look at it until something is to be said.

    The request is a file of its own, which the program removes: whoever comes second changes nothing of the first.
    """
    words = {"state": shlex.quote(state_path), "program": PROGRAM, "unit": UNIT, "python": PYTHON}
    return _START.format(command=command, once=_backup_main.ONCE, **words) + look(state_path)


def look(state_path: str) -> str:
    times = int(LOOK_SECONDS / _PAUSE)
    return _LOOK.format(state=shlex.quote(state_path), unit=UNIT, times=times, pause=_PAUSE)


def read_look(output: str) -> Look:
    _whole(output)
    found = dict(re.findall(r"^(answer|last) (\S+)\s*$", output, re.MULTILINE))
    parsed = {name: json.loads(base64.b64decode(text)) for name, text in found.items()}
    answer = parsed.get("answer")
    asked = str(answer.pop("asked", "")) if answer else ""
    return Look("running yes" in output, answer, parsed.get("last"), asked)


def ask(program: str, command: str) -> str:
    """Run the program here and now; request and answer go by standard input and output."""
    return _ASK.format(python=PYTHON, program=shlex.quote(program), command=command)


def read_answer(output: str) -> dict[str, t.Any]:
    """The last line that is JSON; a login shell may have said something before."""
    for line in reversed(output.splitlines()):
        if line.startswith("{"):
            return t.cast("dict[str, t.Any]", json.loads(line))
    raise HostError(f"The backup program gave no answer ({output.strip()[-300:]!r}).")


def _whole(output: str) -> None:
    if not re.search(r"^end\s*$", output, re.MULTILINE):
        raise HostError(
            f"Could not look at the host: its answer ends early ({output.strip()[-300:]!r}). Check that systemd, "
            "sha256sum and base64 are there, and that the login shell prints nothing of its own."
        )

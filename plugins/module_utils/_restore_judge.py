# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What gitlab:backup:restore, gitlab:check and gitlab:doctor:secrets said: pure functions over their output.

The last two exit with 0 whatever they find; the first does so after SQL errors, once every question was answered with
yes (server facts 2.3, 2.4, 3.2, 3.3).
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _backup_judge
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_judge import Judgement, plain
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_set import State

_BEGIN, _END = "------ BEGIN ERRORS -----", "------ END ERRORS -------"
_PART = re.compile(r"^Restoring (.+?) \.\.\. (done|\[SKIPPED\]|\[DISABLED\])$")
_BEGUN = re.compile(r"^(Unpacking backup|Restoring (?!PostgreSQL)|Cleaning the database|Deleting).*\.\.\.")
_REASONS = re.compile(
    r"^GitLab version mismatch:|^Unpacking backup failed|^No backups found in|^The backup file .+ does not exist!"
    r"|^Source database file does not exist|^Insufficient disk space in|^Quitting\.\.\.|\[FAILED\]$|^Restore failed$"
    r"|^Restore operation failed|gitaly-backup exit status|^There is a backup and restore task in progress|failed: "
    r"|resource busy|^rake aborted!$"
)
_SPACE = re.compile(r"No space left on device|Disk quota exceeded")
_LAST_WORDS = 5
_MODEL = re.compile(r"- (\S+) failures: (\d+)")
_TOTAL = re.compile(r"Total: (\d+) row\(s\) affected")
_QUESTION = re.compile(r"^(.+?\?) \.\.\. (.*)$")
_REMEDY = "Try fixing it:"
_MORE = ("For more information see:", "Please fix the error above and rerun the checks.")


def step(line: str) -> str | None:
    """What GitLab has begun, where the line says so; for people who wait."""
    words = plain(line)
    found = _BEGUN.match(words)
    return found.group(0) if found and words == found.group(0) else None


def application(rc: int, output: str, expected: t.Collection[str]) -> Judgement:
    """Judge gitlab:backup:restore; output is both streams, expected are the parts that the set has."""
    lines = [plain(line) for line in output.splitlines()]
    parts = _parts(lines)
    faults = [*_sql(lines), *_reasons(lines)]
    if rc != 0 and not faults:
        last = " / ".join([line for line in lines if line][-_LAST_WORDS:])
        faults = [f"it ended with {rc}" + (f" and said: {last}" if last else " and said nothing")]
    elif rc == 0 and "Restore task is done." not in lines:
        faults.append("it ended with 0 but never said that it is done; is CRON set in gitlab_rails['env']?")
    elif rc == 0:
        faults += [
            f"the part {name} is in the set and was not restored ({parts.get(name, 'not mentioned')})"
            for name in sorted(expected)
            if parts.get(name) != State.INCLUDED
        ]
    return Judgement(tuple(dict.fromkeys(faults)), (), parts, full=bool(_SPACE.search(output)))


def _parts(lines: t.Iterable[str]) -> dict[str, str]:
    found = [match for match in map(_PART.match, lines) if match]
    return {_backup_judge.part_name(one.group(1)): _backup_judge.STATES[one.group(2)] for one in found}


def _sql(lines: t.Sequence[str]) -> list[str]:
    """What stands between the frames; GitLab leaves out there what is harmless."""
    found: list[str] = []
    inside = False
    for line in lines:
        if line in (_BEGIN, _END):
            inside = line == _BEGIN
        elif inside and line:
            found.append(line)
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    return [f"SQL errors: {'; '.join(found[:3])}{more}"] if found else []


def _reasons(lines: t.Sequence[str]) -> list[str]:
    """Lines that name a failure, each with what follows where that says more."""
    found = []
    for number, line in enumerate(lines):
        if _REASONS.search(line):
            follows = [one for one in lines[number + 1 : number + 4] if one]
            wanted = follows[:1] if line == "rake aborted!" else follows if line.startswith("GitLab version") else []
            found.append(" ".join([line, *wanted]))
    return found


def doctor(rc: int, output: str) -> list[str]:
    """What gitlab:doctor:secrets found that can't be decrypted; nothing where all can."""
    failures = [f"{model}: {count}" for model, count in _MODEL.findall(output) if count != "0"]
    total = _TOTAL.search(output)
    if rc != 0 or total is None:
        return [f"gitlab:doctor:secrets ended with {rc} and no total: {output.strip()[-300:]}"]
    return failures or ([f"{total.group(1)} rows"] if total.group(1) != "0" else [])


def check(rc: int, output: str) -> list[str]:
    """The questions of gitlab:check that were answered badly, with GitLab's remedy; nothing where all is well."""
    lines = [line.strip() for line in _backup_judge.COLOUR.sub("", output).splitlines()]
    found = []
    for number, line in enumerate(lines):
        if line == _REMEDY:
            asked = next((one for one in reversed(lines[:number]) if _QUESTION.match(one)), "a check failed")
            found.append(f"{asked}: {_remedy(lines[number + 1 :])}")
    if rc != 0:
        found.append(f"gitlab:check ended with {rc}: {' / '.join([one for one in lines if one][-_LAST_WORDS:])}")
    return found


def _remedy(lines: t.Iterable[str]) -> str:
    words = []
    for line in lines:
        if not line or line in _MORE or _QUESTION.match(line):
            break
        words.append(line)
    return " ".join(words)

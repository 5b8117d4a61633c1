# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What gitlab-rake gitlab:backup:create and gitlab-ctl backup-etc said, and whether that was a backup.

Pure functions over exit status and output (server facts 1.5, 1.6 and 1.9; observed 6). After a failed part GitLab goes
on, makes an archive, says that the backup is done, and only then exits with 1.
"""

from __future__ import annotations

import dataclasses
import json
import re
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_set import State

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_STAMP = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \S+ -- ")
_PART = re.compile(r"^Dumping (.+?) \.\.\. (done|\[SKIPPED\]|\[DISABLED\])$")
_BEGUN = re.compile(r"^(Dumping (?!PostgreSQL)|Creating backup archive|Uploading backup archive|Deleting).*\.\.\.")
STATES = {"done": State.INCLUDED, "[SKIPPED]": State.SKIPPED, "[DISABLED]": State.DISABLED}
# GitLab's words for its parts, where they are not their names in SKIP with spaces.
_NAMES = {
    "database": "db",
    "lfs objects": "lfs",
    "terraform states": "terraform_state",
    "container registry images": "registry",
}
_FAILED = re.compile(
    r"^Dumping .+ failed: |\[FAILED\]$|^Creating archive .+ failed$|^Uploading backup to .+ failed$|^Backup failed$"
    r"|gitaly-backup exit status|^rake aborted!$|failed: |^There is a backup and restore task in progress"
)
_TOLERATED = re.compile(
    r"^Ignoring |^Warning: files vanished|^Deleting .+ failed: "  # an old backup that could not be removed
)
_SPACE = re.compile(r"No space left on device|Disk quota exceeded")
_CONFIGURED = re.compile(r"^Configuration backup archive complete: (.+)$")
_BEGUN_CONFIGURATION = re.compile(r"^Creating configuration backup archive: (.+)$")
_LAST_WORDS = 5
# A line of gitaly-backup's for every repository is no news.
_GITALY_NEWS = ('"level":"fatal"', '"level":"error"')


@dataclasses.dataclass(frozen=True)
class Judgement:
    """Whether it was a backup: faults is empty then. parts are by name what became of them; path is a made archive's.

    full says that space ran out.
    """

    faults: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    parts: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    path: str | None = None
    full: bool = False


def plain(line: str) -> str:
    """A line of GitLab's without colours and its time."""
    return _STAMP.sub("", COLOUR.sub("", line)).strip()


def matters(line: str) -> bool:
    """Whether a line is worth keeping for the judgement."""
    return not line.startswith("{") or any(news in line for news in _GITALY_NEWS)


def part_name(words: str) -> str:
    """A part's name in SKIP, by what GitLab calls it in its output."""
    return _NAMES.get(words, words.replace(" ", "_"))


def step(line: str) -> str | None:
    """What GitLab has begun, where the line says so; for people who wait."""
    words = plain(line)
    found = _BEGUN.match(words)
    return found.group(0) if found and words == found.group(0) else None


def application(rc: int, output: str, set_id: str) -> Judgement:
    """Judge gitlab:backup:create; output is both streams."""
    lines = [plain(line) for line in output.splitlines()]
    faults, warnings, parts = _sorted_out(lines)
    if rc != 0 and not faults:
        last = " / ".join([line for line in lines if line][-_LAST_WORDS:])
        faults = [f"it ended with {rc}" + (f" and said: {last}" if last else " and said nothing")]
    elif rc == 0 and f"Backup {set_id} is done." not in lines:
        faults.append(
            f"it ended with 0 but never said that {set_id} is done; is CRON or BACKUP set in gitlab_rails['env']?"
        )
    elif rc == 0 and State.INCLUDED not in parts.values():
        faults.append("it backed up no part at all")
    full = [line for line in lines if _SPACE.search(line)]
    return Judgement((*full[:1], *faults), tuple(warnings), parts, full=bool(full))


def _sorted_out(lines: t.Sequence[str]) -> tuple[list[str], list[str], dict[str, str]]:
    faults: list[str] = []
    warnings: list[str] = []
    parts: dict[str, str] = {}
    for number, line in enumerate(lines):
        part = _PART.match(line)
        level, words = _gitaly(line)
        if part:
            parts[part_name(part.group(1))] = STATES[part.group(2)]
        elif level in ("fatal", "error"):
            (faults if level == "fatal" else warnings).append(f"gitaly-backup: {words}")
        elif _TOLERATED.search(line):
            warnings.append(line)
        elif _FAILED.search(line):
            faults.append(_with_reason(lines, number))
    return list(dict.fromkeys(faults)), list(dict.fromkeys(warnings)), parts


def _gitaly(line: str) -> tuple[str, str]:
    """Level and message of a line of gitaly-backup's own log."""
    if not line.startswith("{"):
        return "", ""
    try:
        said = json.loads(line)
    except ValueError:
        return "", ""
    if not isinstance(said, dict):
        return "", ""
    about = [str(said[key]) for key in ("error", "relative_path") if said.get(key)]
    return str(said.get("level", "")), ", ".join([str(said.get("msg", "")), *about])


def _with_reason(lines: t.Sequence[str], number: int) -> str:
    """A line that says of a failure, with the one behind it where that names the reason."""
    line = lines[number]
    follows = next((one for one in lines[number + 1 :] if one), "")
    if line == "rake aborted!" and follows:
        return f"rake aborted: {follows}"
    return line


def configuration(rc: int, stdout: str, stderr: str) -> Judgement:
    """Judge gitlab-ctl backup-etc; a tar under the final name proves nothing (observed 6).

    path of one that failed may be the name alone, without its folder.
    """
    lines = [line.strip() for line in stdout.splitlines()]
    said = list(dict.fromkeys(line.strip() for line in stderr.splitlines() if line.strip()))
    path = next((found.group(1) for found in map(_CONFIGURED.match, lines) if found), None)
    full = bool(_SPACE.search(stderr))
    if rc == 0 and path is not None:
        return Judgement(warnings=tuple(said), path=path)
    dangling = [
        found.group(1) for found in (re.match(r"tar: (.+): File removed before we read it", x) for x in said) if found
    ]
    if dangling:
        words = f"{', '.join(dangling)} leads nowhere: remove such links below /etc/gitlab, or what they name"
    elif said:
        words = " / ".join(said[:_LAST_WORDS])
    else:
        words = " / ".join([line for line in lines if line][-_LAST_WORDS:]) or "it said nothing"
    if path is None:
        path = next((found.group(1) for found in map(_BEGUN_CONFIGURATION.match, lines) if found), None)
    return Judgement((f"it ended with {rc}: {words}",), path=path, full=full)


def information(text: bytes) -> dict[str, str]:
    """The keys of backup_information.yml, which carries Ruby's own tags that no plain YAML loader takes."""
    found: dict[str, str] = {}
    for line in text.decode("utf-8", "replace").splitlines():
        entry = re.match(r"^:?([a-z_]+):(?: (.*))?$", line)
        if entry:
            found[entry.group(1)] = (entry.group(2) or "").strip().strip("'\"")
    return found

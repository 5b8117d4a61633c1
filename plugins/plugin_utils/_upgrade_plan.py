# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decides what an upgrade or its way back does: versions, the package transaction, and the journal. Pure functions."""

from __future__ import annotations

import dataclasses
import enum
import json
import re
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _drain
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._package_versions import (
    HELPER,
    HELPER_SINCE,
    PIN,
    PROGRAM,
    numbers,
)

Offers = t.Mapping[str, t.Sequence[str]]
GITLAB = "gitlab"
NEWEST = "newest"
ON_DEMAND = "runner_rollback"


class UpgradeError(Exception):
    """An upgrade that can't be done; the text says what to do."""


@dataclasses.dataclass(frozen=True)
class Packages:
    """The packages of one version as rpm names them (18.0.3-1); helper is None where that version has none."""

    runner: str
    helper: str | None = None

    @property
    def version(self) -> str:
        return self.runner.partition("-")[0]

    def specs(self) -> tuple[str, ...]:
        return (f"{PROGRAM}-{self.runner}", *((f"{HELPER}-{self.helper}",) if self.helper else ()))

    def locks(self) -> tuple[str, ...]:
        """What a lock of them looks like in dnf's list (epoch 0, any architecture)."""
        names = ((PROGRAM, self.runner), (HELPER, self.helper))
        return tuple(f"{name}-0:{version}.*" for name, version in names if version)


def installed(packages: t.Mapping[str, str]) -> Packages | None:
    runner = packages.get(PROGRAM)
    return Packages(runner, packages.get(HELPER)) if runner else None


def offers(listing: str) -> dict[str, list[str]]:
    """What `dnf list --showduplicates` offers: versions by package name, without epoch and architecture.

    What is installed is listed too, from a repository whose name begins with @.
    """
    found: dict[str, list[str]] = {}
    for line in listing.splitlines():
        words = line.split()
        if len(words) == 3 and "." in words[0] and not words[2].startswith("@"):
            found.setdefault(words[0].rpartition(".")[0], []).append(words[1].rpartition(":")[2])
    return found


def target(wanted: str, offered: Offers, server_version: str | None = None) -> Packages:
    """The packages that a wish means: an exact version, the newest of a line, of the server's own line, or of all."""
    line = {NEWEST: "", GITLAB: _minor(server_version)}.get(wanted, wanted)
    if line and not PIN.fullmatch(line):
        raise UpgradeError(
            f"The version {wanted!r} is none. Give a version (18.0.3), a line to stay in (18.0 or 18), newest, or "
            "gitlab for the server's own line."
        )
    fitting = [one for one in offered.get(PROGRAM, ()) if not line or _within(one, line)]
    if not fitting:
        known = ", ".join(sorted({one.partition("-")[0] for one in offered.get(PROGRAM, ())}, key=numbers)) or "nothing"
        raise UpgradeError(
            f"The repository has no gitlab-runner {line or 'at all'}; it offers {known}. Choose one of these, or look "
            "at gitlab_runner_repo_baseurl."
        )
    newest = max(fitting, key=_order)
    if not needs_helper(newest):
        return Packages(newest)
    if newest not in offered.get(HELPER, ()):
        raise UpgradeError(
            f"The repository offers gitlab-runner {newest} without {HELPER} of exactly that version, which it needs. "
            "Choose another version, or wait until the repository is complete."
        )
    return Packages(newest, newest)


def needs_helper(version: str) -> bool:
    """Whether the helper images are a package of their own at this version (runner facts 9)."""
    return numbers(version) >= HELPER_SINCE


def _minor(server_version: str | None) -> str:
    found = re.match(r"\d+\.\d+", server_version or "")
    return found.group() if found else ""


def _within(package: str, line: str) -> bool:
    version = package.partition("-")[0]
    return version == line or version.startswith(f"{line}.")


def _order(package: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    version, _dash, release = package.partition("-")
    return numbers(version), numbers(release)


def transaction(now: Packages, goal: Packages) -> tuple[str, ...]:
    """dnf's words for one transaction.

    Going back over the helper split both packages own the same files, so the helper must leave in the same
    transaction; `install` can't say that, `swap` can.
    """
    if now.helper and not goal.helper:
        return ("swap", HELPER, *goal.specs())
    return ("install", *goal.specs())


class Step(enum.Enum):
    """Where a run is; written before the step begins."""

    DRAIN = "drain"
    PACKAGES = "packages"
    VERIFY = "verify"
    RESUME = "resume"
    DONE = "done"


@dataclasses.dataclass(frozen=True)
class Journal:
    """What an upgrade does and what it found, kept on the host so that another run can finish or undo it.

    was and to are the packages before and after, back says that it is on its way back and reason why; backup is the
    folder of the configuration; active and unit_file_state are the service's before; refused are entries whose token
    GitLab refused before. previous is the journal of the upgrade before this one, to which a failed one gives way.
    """

    was: Packages
    to: Packages
    backup: str
    active: bool
    unit_file_state: str
    step: Step = Step.DRAIN
    back: bool = False
    reason: str = ""
    refused: tuple[str, ...] = ()
    previous: dict[str, t.Any] | None = None

    @property
    def goal(self) -> Packages:
        return self.was if self.back else self.to

    @property
    def done(self) -> bool:
        return self.step is Step.DONE

    def at(self, step: Step) -> Journal:
        return dataclasses.replace(self, step=step)

    def plain(self) -> dict[str, t.Any]:
        return {**dataclasses.asdict(self), "step": self.step.value, "refused": list(self.refused)}

    def dumped(self) -> str:
        return json.dumps(self.plain(), indent=1) + "\n"

    def ended(self) -> Journal:
        """The journal when the goal is reached: an upgrade that was undone leaves the record of the one before it."""
        if self.back and self.reason != ON_DEMAND and self.previous is not None:
            return from_plain(self.previous)
        return self.at(Step.DONE)


def journal_path(service: str) -> str:
    return f"{_drain.folder(service)}/upgrade.json"


def from_plain(data: t.Mapping[str, t.Any]) -> Journal:
    changed = {
        "was": Packages(**data["was"]),
        "to": Packages(**data["to"]),
        "step": Step(data["step"]),
        "refused": tuple(data["refused"]),
    }
    return Journal(**{**data, **changed})


def loaded(text: str | None, path: str) -> Journal | None:
    """The journal of the last upgrade; raises UpgradeError for a file that this did not write."""
    if text is None:
        return None
    try:
        return from_plain(json.loads(text))
    except (ValueError, TypeError, KeyError) as exc:
        raise UpgradeError(
            f"{path} on the host can't be read as the journal of an upgrade ({exc}). Look which version is installed "
            "and whether the service runs, remove the file, and run this again."
        ) from None


def can_go_back(journal: Journal | None, now: Packages | None) -> Journal:
    """The journal to go back by; raises UpgradeError where there is nothing to go back to."""
    if journal is None:
        raise UpgradeError("No upgrade by this collection is recorded on this host, so there is nothing to go back to.")
    if journal.done and not journal.back and now is not None and now != journal.to:
        raise UpgradeError(
            f"The last recorded upgrade went from {journal.was.version} to {journal.to.version}, but {now.version} is "
            "installed: something else changed the packages since. Nothing was changed. Use runner_upgrade with the "
            "version that you want."
        )
    return journal


@dataclasses.dataclass(frozen=True)
class Finding:
    """What the host shows after the packages were changed."""

    packages: Packages | None
    reported: str | None
    program: str
    refused: tuple[str, ...] = ()


def faults(journal: Journal, found: Finding) -> list[str]:
    """Why the result is not what was wanted; empty when it is."""
    goal, wrong = journal.goal, []
    if found.packages != goal:
        has = " ".join(found.packages.specs()) if found.packages else "no gitlab-runner"
        wrong.append(f"{has} is installed, not {' '.join(goal.specs())}")
    if found.reported is None:
        wrong.append("the program gitlab-runner does not run")
    elif re.fullmatch(r"\d+\.\d+\.\d+", found.reported) and found.reported != goal.version:
        wrong.append(f"the program says that it is {found.reported}, not {goal.version}")
    if found.program.endswith("(deleted)"):
        wrong.append("the running process is still the old program")
    new = [name for name in found.refused if name not in journal.refused]
    if new:
        wrong.append(f"GitLab refuses the tokens of {', '.join(new)}, which it took before")
    return wrong

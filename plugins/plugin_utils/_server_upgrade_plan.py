# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans the way of a GitLab server from the installed version to another: pure functions.

From what is installed, what is wanted and what the repository offers come the stops, each an exact package, what
happens to PostgreSQL at each, and what to know before.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._upgrade_record import Release, Stop
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import (
    _server_offers,
    _server_releases,
    _server_upgrade_postgresql,
    _server_upgrade_warnings,
    _server_version,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._server_offers import (
    EE,
    OfferError,
    Package,
    dotted,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._server_releases import Minor
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._server_upgrade_postgresql import Moved, PlanError
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._server_upgrade_warnings import Warned


class Why:
    """Why a stop is one."""

    PATCH = "newest patch first"
    REQUIRED = "required stop"
    CHOSEN = "conditional stop, chosen"
    TARGET = "target"
    EDITION = "change of the edition"


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What is asked for. target is an exact version, a line or newest; edition is None to stay with the installed one.

    conditional_stops are those that this server needs (16.1, ...).
    """

    target: str = _server_offers.NEWEST
    conditional_stops: tuple[str, ...] = ()
    edition: str | None = None


@dataclasses.dataclass(frozen=True)
class Here:
    """The server: the installed version and release, PostgreSQL's major (None where it is external).

    held says in words what keeps the package from moving PostgreSQL by itself; data_bytes is the size of its data.
    system is the operating system (el, 9).
    """

    package: str
    postgresql: int | None = None
    data_bytes: int = 0
    held: str | None = None
    system: tuple[str, str] = ("", "")


@dataclasses.dataclass(frozen=True)
class Planned:
    """A stop: the package to install, why, and what becomes of PostgreSQL (from and to are majors)."""

    package: Package
    why: str
    postgresql_from: int | None = None
    postgresql_to: int | None = None
    moved_by: str | None = None
    space: int = 0

    @property
    def stop(self) -> Stop:
        """As the journal keeps it."""
        moves = self.moved_by is not None
        before = self.postgresql_to if self.moved_by == Moved.BEFORE else None
        return Stop(self.package.name, str(self.package), before, self.postgresql_to if moves else None)


@dataclasses.dataclass(frozen=True)
class Plan:
    """The way. stops is empty where the server is there already."""

    origin: Release
    target: Package
    stops: tuple[Planned, ...]
    warnings: tuple[Warned, ...] = ()

    def as_json(self) -> dict[str, t.Any]:
        return {
            "from": self.origin.version,
            "to": self.target.name,
            "stops": [
                {
                    "version": one.package.name,
                    "package": one.stop.spec,
                    "why": one.why,
                    "postgresql_from": one.postgresql_from,
                    "postgresql_to": one.postgresql_to,
                    "postgresql_moved_by": one.moved_by,
                    "postgresql_space": one.space,
                }
                for one in self.stops
            ],
            "notes": [dataclasses.asdict(one) for one in self.warnings],
        }


def plan(here: Here, wanted: Wanted, listing: t.Iterable[str]) -> Plan:
    """The way there; listing are versions and releases as the repository has them, in any order.

    Raises PlanError.
    """
    installed = _installed(here)
    offers = _server_offers.offered(listing, installed)
    edition = _edition(installed, wanted)
    try:
        target = _server_offers.wanted(wanted.target, offers, edition)
    except OfferError as exc:
        raise PlanError(str(exc)) from None
    if target.version < installed.version and _stays(wanted.target, installed):
        target = installed  # the line was asked for, and the repository has nothing newer of it
    if target.version < installed.version:
        raise PlanError(
            f"GitLab {installed.name} is installed and {target.name} is older: an upgrade never goes back. "
            "Use the playbook gitlab_rollback, which goes back to a version of an earlier upgrade with its data."
        )
    chosen = _chosen(wanted.conditional_stops)
    way = _way(installed, target, chosen, offers, here)
    stops = tuple(_with_postgresql(way, installed, here))
    origin = Release(installed.name, str(installed), here.postgresql)
    return Plan(
        origin, target, stops, tuple(_server_upgrade_warnings.warnings(installed, [s.package for s in stops], chosen))
    )


def _installed(here: Here) -> Package:
    found = _server_offers.package(here.package)
    if found is None:
        raise PlanError(
            f"The installed package is {here.package!r}, which is no release of GitLab (a release candidate or a build "
            "of somebody's own): its way can't be planned."
        )
    if found.minor < _server_releases.FIRST:
        raise PlanError(
            f"GitLab {found.name} is installed; upgrades are planned from {dotted(_server_releases.FIRST)} on. Go "
            "there by GitLab's own instructions first."
        )
    return found


def _stays(target: str, installed: Package) -> bool:
    """Whether the installed version is of the line that is wanted."""
    return target in ("", _server_offers.NEWEST) or (
        target.count(".") < 2 and f"{installed.name}.".startswith(f"{target}.")
    )


def _edition(installed: Package, wanted: Wanted) -> str:
    edition = wanted.edition or installed.edition
    named = _server_offers.edition_of(wanted.target)
    if named is not None and named != edition:
        raise PlanError(
            f"gitlab-{installed.edition} is installed and {wanted.target} is of gitlab-{named}. An upgrade does not "
            f"change the edition by the way; ask for it with edition: {named}."
        )
    if installed.edition == EE and edition != EE:
        raise PlanError("gitlab-ee is installed, and there is no upgrade to gitlab-ce: the newer data may not fit it.")
    return edition


def _chosen(names: t.Iterable[str]) -> list[Minor]:
    known = {dotted(one.minor): one.minor for one in _server_releases.CONDITIONAL}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise PlanError(
            f"{', '.join(unknown)}: no conditional stop. The conditional stops are {', '.join(known)}; required ones "
            "are always taken."
        )
    return [known[name] for name in names]


def _way(
    installed: Package, target: Package, chosen: t.Sequence[Minor], offers: t.Sequence[Package], here: Here
) -> list[tuple[Package, str]]:
    """The packages to step through and why; raises PlanError naming every stop that the repository lacks."""
    edition = installed.edition
    between = dict.fromkeys(_server_releases.required_between(installed.minor, target.minor), Why.REQUIRED)
    between.update({minor: Why.CHOSEN for minor in chosen if installed.minor < minor < target.minor})
    between.pop(target.minor, None)
    found = {minor: _server_offers.best(offers, minor, edition) for minor in sorted(between)}
    missing = [minor for minor, one in found.items() if one is None]
    if missing:
        raise PlanError(_lacking(missing, between, here))
    way = [(t.cast(Package, one), between[minor]) for minor, one in found.items()]
    newest = _server_offers.best(offers, installed.minor, edition)
    leaves_stop = _server_releases.is_required(installed.minor) and target.minor > installed.minor
    if leaves_stop and newest is not None and newest.version > installed.version:
        way.insert(0, (newest, Why.PATCH))
    return way + _last(way, installed, target, offers)


def _last(
    way: t.Sequence[tuple[Package, str]], installed: Package, target: Package, offers: t.Sequence[Package]
) -> list[tuple[Package, str]]:
    """The target; where it is of another edition, first the same version of the present one."""
    if target.edition == installed.edition:
        return [(target, Why.TARGET)] if target.version > installed.version else []
    change = [(target, Why.EDITION)]
    if target.version == installed.version:
        return change
    same = [one for one in offers if one.version == target.version and one.edition == installed.edition]
    if not same:
        raise PlanError(
            f"The edition is changed at one and the same version, but the repository offers no "
            f"gitlab-{installed.edition} {target.name}. Upgrade to a version that both have."
        )
    return [(max(same), Why.TARGET), *change]


def _lacking(missing: t.Sequence[Minor], between: t.Mapping[Minor, str], here: Here) -> str:
    names = ", ".join(f"{dotted(minor)} ({between[minor]})" for minor in missing)
    words = (
        f"The repository offers no package of {names}. No stop may be left out. Have the repository offer these, or "
        "choose an earlier target."
    )
    first = _server_version.FIRST_PACKAGES.get(here.system)
    if first and missing[0] < first:
        words += (
            f" GitLab has packages of {dotted(first)} and later only for this operating system: go up to there on an "
            "older one, and move by backup and restore."
        )
    return words


def _with_postgresql(way: t.Iterable[tuple[Package, str]], installed: Package, here: Here) -> t.Iterator[Planned]:
    """Add what becomes of PostgreSQL; raises PlanError where a stop would refuse the one that runs."""
    major, before = here.postgresql, installed
    for package, why in way:
        if major is None:
            yield Planned(package, why)
            continue
        to, moved_by = _server_upgrade_postgresql.move(major, before, package, here.held)
        space = _server_upgrade_postgresql.COPIES * here.data_bytes if to else 0
        yield Planned(package, why, major, to or major, moved_by, space)
        major, before = to or major, package

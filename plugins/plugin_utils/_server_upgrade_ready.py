# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From one read of a server to its upgrade's plan, and to what stands against it: pure functions."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import (
    _backup_space,
    _upgrade_journal,
    _upgrade_next,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._upgrade_preflight import Finding, Needs
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._upgrade_record import Upgrade
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import (
    _gitlab_rb_removed,
    _server_offers,
    _server_upgrade_plan,
    _server_upgrade_read,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._server_upgrade_plan import Here, Plan, Wanted
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._server_upgrade_postgresql import Moved, PlanError
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._server_upgrade_read import POSTGRESQL, State

PINNED = r"postgresql\['version'\]"
EXTERNAL = r"postgresql\['enable'\]"


def recorded(state: State) -> tuple[Upgrade, ...]:
    """Upgrades that the host's journal knows; raises PlanError where it can't be understood."""
    try:
        return _upgrade_journal.upgrades(_upgrade_journal.parse(state.journal))
    except ValueError as exc:
        raise PlanError(
            f"The journal of upgrades on the host can't be understood ({exc}): whether one is unfinished is not known. "
            "Put back an untouched copy of it."
        ) from None


def unfinished(state: State) -> Upgrade | None:
    last = next(reversed(recorded(state)), None)
    return last if last is not None and last.unfinished else None


def plan(state: State, wanted: Wanted) -> Plan:
    """The way from here, or from the stop that an unfinished upgrade is at. Raises PlanError."""
    if not state.offers and state.packages:
        raise PlanError(
            f"dnf lists no package of GitLab: {state.dnf_said or 'it says nothing'}. See that the repository answers "
            "(dnf repoquery gitlab-ce), that it is enabled, and that no exclude in /etc/dnf/dnf.conf hides it."
        )
    names = {name.partition("-")[2] for name in state.packages}
    return _server_upgrade_plan.plan(here(state), wanted, [one.version for one in state.offers] if names else [])


def here(state: State) -> Here:
    """Raises PlanError where no GitLab is installed, or a rollback has to be finished first."""
    last = unfinished(state)
    if last is not None and last.back is not None:
        raise PlanError(f"{_upgrade_next.stands(last)} Run the playbook gitlab_rollback to finish it.")
    if not state.packages and last is None:
        raise PlanError("GitLab is not installed here. Use the playbook gitlab_install.")
    if len(state.packages) > 1:
        raise PlanError("gitlab-ce and gitlab-ee are both installed, of which the one replaces the other. Remove one.")
    package = next(iter(state.packages.values()), "")
    major = None if _is_external(state) else state.postgresql
    if last is not None and last.marks:
        stop = last.stops[_upgrade_next.at(last)]
        package, major = stop.package, major and (stop.postgresql or major)
    return Here(package, major, state.postgresql_bytes, held(state), state.system)


def _is_external(state: State) -> bool:
    return state.postgresql is None or _server_upgrade_read.setting(state.config, EXTERNAL) == "false"


def held(state: State) -> str | None:
    """What keeps a package from moving PostgreSQL by itself, in words (server facts 4.6)."""
    if "disable-postgresql-upgrade" in state.skip_files:
        return "/etc/gitlab/disable-postgresql-upgrade is there"
    if _server_upgrade_read.setting(state.config, PINNED):
        return "postgresql['version'] is set in gitlab.rb"
    if re.search(r"^\s*roles\b.*(geo|patroni)", state.config, re.MULTILINE):
        return "gitlab.rb has a role of Geo or Patroni"
    return None


def needs(state: State, found: Plan) -> Needs:
    """What the way takes: the most of one stop, except for the backup sets, of which all are kept."""
    packages = {str(one.package) for one in found.stops}
    offers = [one for one in state.offers if one.version in packages]
    return Needs(
        stops=len(found.stops),
        postgresql=max((one.space for one in found.stops), default=0),
        download=max((one.download for one in offers), default=0),
        program=max((one.installed for one in offers), default=0),
    )


def findings(state: State, found: Plan) -> list[Finding]:
    """What stands against it and can be seen from the read alone."""
    return [*_removed(state, found), *_postgresql(state, found), *_skip_files(state)] if found.stops else []


def _removed(state: State, found: Plan) -> t.Iterator[Finding]:
    for entry in _gitlab_rb_removed.found(state.config, found.stops[-1].package.minor):
        since = _server_offers.dotted(entry.since)
        yield Finding(
            f"gitlab.rb sets {entry.name}, which GitLab {since} no longer has", f"Before you begin: {entry.remedy}"
        )


def _postgresql(state: State, found: Plan) -> t.Iterator[Finding]:
    moves = [one for one in found.stops if one.moved_by]
    if moves and _server_upgrade_read.setting(state.config, PINNED):
        yield Finding(
            f"postgresql['version'] is set in gitlab.rb, so PostgreSQL would stay at {moves[0].postgresql_from}, and "
            "pg-upgrade says nothing of it",
            "Take it out and run gitlab-ctl reconfigure",
        )
    for one in moves:
        names = {f"{POSTGRESQL}/data.{major}" for major in (one.postgresql_from, one.postgresql_to)}
        for path in sorted(names & set(state.postgresql_left)):
            yield Finding(
                f"{path} is left from an earlier move of PostgreSQL, and the one at {one.package.name} would stop at "
                "it or, worse, pass for done",
                f"See that PostgreSQL's data is whole, then move {path} away",
            )
        if one.moved_by == Moved.AFTER:
            yield Finding(
                f"At {one.package.name} the package does not move PostgreSQL by itself ({held(state)})",
                "It is moved by gitlab-ctl pg-upgrade after it",
                blocks=False,
            )
    most = max((one.space for one in moves), default=0)
    if most > state.postgresql_free:
        yield Finding(
            f"PostgreSQL's data takes two copies while it moves, {_backup_space.human(most)}, and {POSTGRESQL} has "
            f"{_backup_space.human(state.postgresql_free)} free",
            "Make room there",
        )


def _skip_files(state: State) -> t.Iterator[Finding]:
    if "skip-auto-reconfigure" in state.skip_files:
        yield Finding(
            "/etc/gitlab/skip-auto-reconfigure is there: the package would migrate nothing and report success",
            "Remove it; the upgrade makes its own where it needs one",
        )
    if "skip-fail-config-check" in state.skip_files:
        yield Finding(
            "/etc/gitlab/skip-fail-config-check is there: the package goes on over settings that it no longer has",
            "Remove it unless you know why",
            blocks=False,
        )

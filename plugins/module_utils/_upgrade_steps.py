# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a stop; each can be done again, whatever ended it before. Standard library of Python 3.9.

What is proven while nobody can write (data, secrets, what GitLab says of itself) is proven before puma is started: git
over ssh reaches it beside nginx, so the line in nginx's files alone keeps not everybody out.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import (
    _backup_awscli,
    _backup_make,
    _backup_store,
    _gitlab_migrations,
    _gitlab_migrations_act,
    _gitlab_readiness,
    _gitlab_server,
    _restore_judge,
    _restore_services,
    _upgrade_door,
    _upgrade_package,
    _upgrade_postgresql,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._upgrade_record import Step
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._upgrade_work import ProofFailed, StepFailed, Work

Facts = dict[str, t.Any]
NO_BACKUP = "skip-auto-backup"
PAUSE_SECONDS = 2.0
_SHOWN = 8


class CopyWanted(Exception):
    """No failure: the controller is to copy the set before anything else is done."""

    def __init__(self, set_id: str) -> None:
        self.set = set_id
        super().__init__(set_id)


def close(work: Work, stop: int, again: bool) -> Facts:
    """What is so before; then keep everybody out."""
    _upgrade_package.supervised(work)
    states = _restore_services.states(work.host.run)
    running = {name for name, state in states.items() if state == "run"}
    if again or stop:  # those that write may be stopped by an earlier run, or by the stop before
        running |= set(_restore_services.WRITERS) & set(states)
    facts: Facts = {"running": sorted(running), **_before(work, stop)}
    if not work.serving:
        shut(work)
    return facts


def shut(work: Work) -> None:
    work.say("closing the door")
    _upgrade_door.close(work.host.run, work.ctl)
    _restore_services.stop(work.host.run, work.say)


def _before(work: Work, stop: int) -> Facts:
    """What GitLab says of itself, to compare with afterwards: of the stop before where there was one."""
    if stop:
        return {"said": work.known.facts(stop - 1, Step.CHECK).get("said", {})}
    return {"said": {**_environment(work), "doctor": _doctor(work), "check": _check(work)}}


def keep(work: Work, _stop: int, _again: bool) -> Facts:
    """The set that this stop goes back to."""
    with work.host.recorder.timed("backup"):
        manifest, recovered = _backup_make.make(work.request.backup, work.host)
    work.warnings += recovered
    return {"set": manifest.id}


def copy(work: Work, stop: int, _again: bool) -> Facts:
    """Off the host, where that is asked for: from here, or by the controller, which signs the requests."""
    set_id = str(work.known.facts(stop, Step.KEEP)["set"])
    bucket = work.request.backup.bucket
    if bucket is not None:
        with work.host.recorder.timed("copy"):
            kept = _backup_store.find(work.request.backup.sets_path, set_id)
            return {"url": _backup_awscli.copy(kept, bucket, work.host.run, work.say)}
    if work.request.copy and set_id not in work.request.copied:
        raise CopyWanted(set_id)
    return {"url": work.request.copied.get(set_id)}


def before_package(work: Work, stop: int, _again: bool) -> Facts:
    target = work.known.stops[stop].postgresql_before
    return {} if target is None else _upgrade_postgresql.move(work, stop, target)


def package(work: Work, stop: int, _again: bool) -> Facts:
    """The transaction; the package's own database backup is left out, because the set of this stop has more."""
    wanted = work.known.stops[stop]
    _upgrade_package.supervised(work)
    work.make_flag(NO_BACKUP)
    text = _upgrade_package.install(work, stop, wanted.spec, wanted.package)
    work.remove_flags()
    return _upgrade_package.judged(text)


def reconfigure(work: Work, stop: int, again: bool) -> Facts:
    facts = work.known.facts(stop, Step.PACKAGE)
    if facts.get("failed") and not again:
        raise StepFailed(
            f"GitLab {work.known.stops[stop].version} is installed, but its own reconfigure failed, though dnf reports "
            f"success: {facts['failed']}. Its log is in {_upgrade_package.LOGS}, dnf's output is "
            f"{work.log('package', stop)}."
        )
    if again or not facts.get("reconfigured"):
        _upgrade_package.supervised(work)
        _upgrade_package.reconfigure(work, stop)
    _upgrade_package.migrated(work)
    return {"own": again or not facts.get("reconfigured")}


def postgresql(work: Work, stop: int, _again: bool) -> Facts:
    target = work.known.stops[stop].postgresql
    return {} if target is None else _upgrade_postgresql.move(work, stop, target)


def start(work: Work, stop: int, _again: bool) -> Facts:
    """The services; all is proven before those start that write."""
    running = _running(work, stop)
    quiet = [name for name in running if work.serving or name not in _restore_services.WRITERS]
    if not work.serving:
        shut(work)
    work.say("starting services")
    _upgrade_package.page_down(work)
    with work.host.recorder.timed("services"):
        _restore_services.start(work.host.run, quiet)
    if work.serving:
        ready(work)
    return {"said": _proven(work, stop)}


def _running(work: Work, stop: int) -> list[str]:
    """The services that ran before and are still there."""
    states = _restore_services.states(work.host.run)
    before = work.known.facts(stop, Step.CLOSE).get("running", [])
    return sorted(set(before) & set(states))


def _proven(work: Work, stop: int) -> Facts:
    """Raises ProofFailed for what is not as it was."""
    before = work.known.facts(stop, Step.CLOSE).get("said", {})
    wanted, problems = work.known.stops[stop].version, []
    work.say("comparing with what was before")
    now = _environment(work)
    if now["version"].partition("-")[0] != wanted:
        problems.append(f"GitLab says that it is {now['version']}, and not {wanted}")
    problems += [
        f"gitlab:env:info: {name} was {before[name]}, and is {now[name]}"
        for name in ("url", "storages")
        if name in before and before[name] != now[name]
    ]
    now["doctor"] = _doctor(work)
    new = [one for one in now["doctor"] if one not in before.get("doctor", [])]
    problems += [f"values that can't be decrypted any more: {one}" for one in new]
    problems += differing(work, str(work.known.facts(stop, Step.KEEP)["set"]))
    if problems:
        raise ProofFailed(f"After the upgrade to {wanted}: {_listed(problems)}.")
    return now


def differing(work: Work, set_id: str) -> list[str]:
    """Data that is not as in the set: inside a closed door all of it counts, else what has become less."""
    found = work.differences(set_id)
    if work.serving:
        found = [one for one in found if _less(one.before, one.after)]
    # A newer release adds secrets of its own; none of the old ones may change.
    found = [one for one in found if not (one.part == "secrets" and one.before is None)]
    return [str(one) for one in found]


def _less(before: str | None, after: str | None) -> bool:
    """Whether something is gone: an entry, or rows of a table. A repository that changed may have been pushed to."""
    if after is None:
        return True
    counts = [re.match(r"(\d+) rows", text or "") for text in (before, after)]
    return all(counts) and int(counts[1][1]) < int(counts[0][1])  # type: ignore[index]


def check(work: Work, stop: int, _again: bool) -> Facts:
    """puma behind the closed door, readiness, and GitLab's own checks."""
    if not work.serving:
        _upgrade_door.close(work.host.run, work.ctl)
        _restore_services.start(work.host.run, [name for name in ("puma",) if name in _running(work, stop)])
        ready(work)
    said = dict(work.known.facts(stop, Step.START).get("said", {}))
    before = work.known.facts(stop, Step.CLOSE).get("said", {})
    said["check"] = _check(work)
    new = [one for one in said["check"] if one not in before.get("check", [])]
    if new:
        raise StepFailed(
            f"gitlab:check finds what it did not find before the upgrade to {work.known.stops[stop].version}: "
            f"{_listed(new)}."
        )
    return {"said": said}


def ready(work: Work) -> None:
    work.say("waiting until GitLab is ready")
    with work.host.recorder.timed("readiness"):
        words = _gitlab_readiness.wait(work.request.ready_seconds)
    if words:
        raise StepFailed(
            f"GitLab is not ready after {work.request.ready_seconds} s: {words}. Look at gitlab-ctl status and "
            "gitlab-ctl tail on the host."
        )


def open_(work: Work, stop: int, _again: bool) -> Facts:
    """Everybody is let in: from here on going back would lose what they write."""
    _restore_services.start(work.host.run, _running(work, stop))
    _upgrade_door.open_(work.host.run, work.ctl)
    ready(work)
    return {}


def migrations(work: Work, _stop: int, _again: bool) -> Facts:
    """Background migrations have to end before the next version comes."""
    with work.host.recorder.timed("migrations"):
        found = _gitlab_migrations.wait(
            work.host.run,
            work.request.migrations_seconds,
            lambda state: work.say(_gitlab_migrations.progress(state)),
            pause=PAUSE_SECONDS,
        )
    if found.ended:
        return {}
    if found.stuck:
        raise StepFailed(f"Background migrations do not end: {_gitlab_migrations_act.remedy(found)} Then run it again.")
    raise StepFailed(
        f"After {work.request.migrations_seconds} s {_gitlab_migrations.progress(found)}. They go on; run the upgrade "
        "again to wait on, or give them longer (gitlab_server_upgrade_migrations_timeout)."
    )


def _environment(work: Work) -> Facts:
    with work.host.recorder.timed("rake"):
        found = _gitlab_server.environment(_gitlab_server.Source(run=work.host.run))
    gitlab = found.get("GitLab information", {})
    shell = found.get("GitLab Shell", {})
    return {
        "version": gitlab.get("Version", ""),
        "url": gitlab.get("URL", ""),
        "storages": shell.get("Repository storages", {}),
    }


def _doctor(work: Work) -> list[str]:
    with work.host.recorder.timed("rake"):
        done = work.host.run([work.host.places.rake, "gitlab:doctor:secrets"], timeout=_upgrade_package.RAKE_SECONDS)
    return _restore_judge.doctor(done.rc, f"{done.stdout}\n{done.stderr}")


def _check(work: Work) -> list[str]:
    """Findings of gitlab:check; Sidekiq's are left out, because it may be kept down."""
    with work.host.recorder.timed("rake"):
        done = work.host.run(
            [work.host.places.rake, "gitlab:check", "SANITIZE=true"], timeout=_upgrade_package.RAKE_SECONDS
        )
    found = _restore_judge.check(done.rc, f"{done.stdout}\n{done.stderr}")
    return [one for one in found if "sidekiq" not in one.lower() and not one.startswith("Running?")]


def _listed(found: t.Sequence[str]) -> str:
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return "; ".join(found[:_SHOWN]) + more


STEPS: t.Mapping[str, t.Callable[[Work, int, bool], Facts]] = {
    Step.CLOSE: close,
    Step.KEEP: keep,
    Step.COPY: copy,
    Step.PG_BEFORE: before_package,
    Step.PACKAGE: package,
    Step.RECONFIGURE: reconfigure,
    Step.POSTGRESQL: postgresql,
    Step.START: start,
    Step.CHECK: check,
    Step.OPEN: open_,
    Step.MIGRATIONS: migrations,
}

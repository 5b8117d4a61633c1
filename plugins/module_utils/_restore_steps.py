# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a restore; each can be done again, whatever ended it before. Standard library of Python 3.9."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import time
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import (
    _backup_judge,
    _backup_make,
    _backup_work,
    _gitlab_fingerprint,
    _gitlab_psql,
    _gitlab_readiness,
    _restore_archive,
    _restore_compare,
    _restore_config,
    _restore_journal,
    _restore_judge,
    _restore_look,
    _restore_refusals,
    _restore_services,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_set import Manifest, State
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_steps import Host
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_store import Kept
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._restore_config import Entry
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._restore_journal import Journal
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._restore_plan import Plan
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._restore_request import Places, Request

RECONFIGURE_SECONDS = 7200
RAKE_SECONDS = 7200
ANALYZE_SECONDS = 7200
SHOWN = 8
# What GitLab unpacks into backup_path and a killed restore leaves there.
_STAGED = ("backup_information.yml", "db", "repositories")
_STAGED_ENDING = ".tar.gz"


class RestoreFailed(Exception):
    """A step failed; the text says what was tried and what came back."""


@dataclasses.dataclass
class Work:
    """One restore at work: what is known, and what is found on the way."""

    request: Request
    host: Host
    places: Places
    kept: Kept
    manifest: Manifest
    entries: t.Sequence[Entry]
    plan: Plan
    journal: Journal
    reconfigured: bool = False
    warnings: list[str] = dataclasses.field(default_factory=list)
    found: dict[str, t.Any] = dataclasses.field(default_factory=dict)

    def say(self, words: str) -> None:
        self.host.recorder.stage(words, id=self.manifest.id)

    def note(self, **known: t.Any) -> None:
        """Have what became known on disk before anything else is done."""
        self.journal = _restore_journal.note(self.request.state_path, dataclasses.replace(self.journal, **known))

    @property
    def folder(self) -> pathlib.Path:
        """Where what is put aside goes; one folder a restore."""
        stamp = self.journal.began.replace(":", "").replace("-", "")
        return pathlib.Path(self.request.state_path) / f"{self.journal.set}-{stamp}"


def stop(work: Work) -> None:
    states = _restore_services.states(work.host.run)
    running = {name for name, state in states.items() if state == "run"}
    work.note(running=tuple(sorted(running | set(work.journal.running))))
    with work.host.recorder.timed("gitlab"):
        _restore_services.stop(work.host.run, work.say)


def keep(work: Work) -> None:
    """A backup set of what is there now, made while nobody writes."""
    work.say("backing up what is there now")
    request = work.request.backup(work.plan.keep_skip or ())
    with work.host.recorder.timed("safety backup"):
        manifest, _unused = _backup_make.make(request, work.host)
    work.note(kept=manifest.id)


def configure(work: Work) -> None:
    """/etc/gitlab as in the set, and a reconfigure where that changes something."""
    changes = _restore_config.changes(work.entries, work.places.etc)
    if changes:
        work.say(f"putting back {work.places.etc}: {len(changes)} files")
        copy = _restore_config.keep(work.places.etc, work.folder)
        aside = {*work.journal.aside, *([str(copy)] if copy else [])}
        work.note(aside=tuple(sorted(aside)), changed_configuration=True)
        _restore_config.write(work.entries, work.places.etc)
    if work.journal.changed_configuration:
        _reconfigure_quietly(work)


def _reconfigure_quietly(work: Work) -> None:
    """Reconfigure, and stop again what it may have started."""
    reconfigure(work)
    work.reconfigured = True
    with work.host.recorder.timed("gitlab"):
        _restore_services.stop(work.host.run, work.say)


def reconfigure(work: Work) -> None:
    work.say("gitlab-ctl reconfigure")
    with work.host.recorder.timed("gitlab"):
        done = work.host.run([work.host.places.ctl, "reconfigure"], timeout=RECONFIGURE_SECONDS)
    if done.rc != 0 or "gitlab Reconfigured!" not in done.stdout:
        raise RestoreFailed(
            f"gitlab-ctl reconfigure ended with {done.rc} and said: {done.words}. Its log is in "
            "/var/log/gitlab/reconfigure."
        )


def load(work: Work) -> None:
    """GitLab's own restore, judged by all that it said; a lost database or storage is laid out anew before."""
    if work.plan.reconfigure_first:
        _lay_out(work)
    with work.host.recorder.timed("gitlab"):
        _restore_services.start_needed(work.host.run, work.say)
    other = _restore_refusals.other_backup_path(work.request, _restore_look.gitlab_backup_path(work.places.gitlab_yml))
    if other:  # the set's configuration may have brought it
        raise RestoreFailed(f"GitLab was not asked to restore yet. {other[0]}")
    _clear(work)
    _place(work)
    said = _loaded(work)
    if said.faults:
        _tmp_aside(work)
        more = "Make room for it" if said.full else "Mend that"
        raise RestoreFailed(f"GitLab's restore failed: {'; '.join(said.faults[:SHOWN])}. {more}.")
    if work.journal.placed:
        pathlib.Path(work.journal.placed).unlink(missing_ok=True)
        work.note(placed=None)


def _lay_out(work: Work) -> None:
    """Have a database and storages that GitLab's restore can begin with, where they are lost."""
    if not work.reconfigured:
        _reconfigure_quietly(work)
    with work.host.recorder.timed("gitlab"):
        _restore_services.start_needed(work.host.run, work.say)
    if _gitlab_psql.is_there(work.host.run, timeout=ANALYZE_SECONDS):
        return  # whatever is in it: GitLab's restore drops all tables first
    # A reconfigure leaves this out where it was done before for the same release (its file in upgrade-status).
    work.say("gitlab:db:configure")
    with work.host.recorder.timed("gitlab"):
        done = work.host.run([work.host.places.rake, "gitlab:db:configure"], timeout=RAKE_SECONDS)
    if done.rc != 0:
        raise RestoreFailed(f"gitlab-rake gitlab:db:configure ended with {done.rc} and said: {done.words}.")


def _clear(work: Work) -> None:
    """What a restore that was killed has left in backup_path: unpacked files go, what was moved aside is kept."""
    _tmp_aside(work)
    if not work.journal.placed:
        return  # none of ours was here, and others may have left something unpacked on purpose (SKIP=tar)
    for entry in pathlib.Path(work.request.backup_path).iterdir():
        if entry.name in _STAGED or entry.name.endswith(_STAGED_ENDING):
            _backup_work.remove(entry)


def _tmp_aside(work: Work) -> None:
    """GitLab moves files into backup_path/tmp before it brings others, and empties it in its next run."""
    tmp = pathlib.Path(work.request.backup_path, "tmp")
    if tmp.is_dir() and any(tmp.iterdir()):
        aside = tmp.rename(tmp.with_name(f"fleetwright-aside-{int(time.time())}"))
        work.note(aside=(*work.journal.aside, str(aside)))


def _place(work: Work) -> None:
    """Have the archive where GitLab looks for it, as its user can read it.

    On one file system it is a second name of the set's own file; else it was copied while it was verified.
    """
    source, target = _restore_archive.source(work.kept), _restore_archive.target(work.request, work.kept)
    if not target.exists():
        work.note(placed=str(target))
        copy = _restore_archive.copied(work.request, work.kept)
        if copy.exists():
            copy.rename(target)
        else:
            os.link(source, target)
    _backup_work.hand_over(target)


def _loaded(work: Work) -> _backup_judge.Judgement:
    lines: list[str] = []

    def on_line(line: str) -> None:
        if _backup_judge.matters(line):
            lines.append(line)
        step = _restore_judge.step(line)
        if step:
            work.say(step)

    expected = [part.name for part in work.manifest.application.parts if part.state == State.INCLUDED and part.members]
    # The wrapper, because it hands the registry's files over and back, and splits nothing that is given here.
    argv = [
        *(work.places.wrapper, "restore", f"BACKUP={work.manifest.id}", "force=yes", "GITLAB_ASSUME_YES=1"),
        f"SKIP={','.join(work.manifest.skipped)}",
    ]
    decompress = work.manifest.options.get("decompress_cmd")
    env = {"GITLAB_ASSUME_YES": "1", **({"DECOMPRESS_CMD": str(decompress)} if decompress else {})}
    with work.host.recorder.timed("gitlab"):
        done = work.host.stream(argv, on_line, env=env)
    return _restore_judge.application(done.rc, "\n".join([*lines, done.stderr]), expected)


def prove(work: Work) -> None:
    """Whether all came back, while nobody writes: secrets, fingerprint; then the planner's statistics."""
    with work.host.recorder.timed("gitlab"):
        _restore_services.start_needed(work.host.run, work.say)
    work.say("checking that secrets can be read")
    with work.host.recorder.timed("gitlab"):
        done = work.host.run([work.host.places.rake, "gitlab:doctor:secrets"], timeout=RAKE_SECONDS)
    findings = _restore_judge.doctor(done.rc, f"{done.stdout}\n{done.stderr}")
    work.found["doctor"] = findings
    problems = [f"values that can't be decrypted: {', '.join(findings)}"] if findings else []
    work.say("comparing with the set's fingerprint")
    with work.host.recorder.timed("fingerprint"):
        where = _gitlab_fingerprint.Places(work.places.gitaly_config, f"{work.places.etc}/gitlab-secrets.json")
        present = _gitlab_fingerprint.take(work.host.run, places=where)
    differ = _restore_compare.differences(work.request, work.manifest, present)
    work.found["differences"] = [_restore_compare.words(one) for one in differ]
    problems += work.found["differences"][:SHOWN]
    problems += [f"and {len(differ) - SHOWN} more differences"] if len(differ) > SHOWN else []
    if problems and not work.request.accept_findings:
        raise RestoreFailed(
            f"What came back is not what the set says: {'; '.join(problems)}. If that is known, and was so when the "
            "backup was made, run this again with accept_findings."
        )
    work.warnings += problems
    work.note(mark_after=_restore_look.mark(present))
    if work.request.data:
        _analyze(work)


def _analyze(work: Work) -> None:
    """Without statistics the first queries take long (server facts 2.2); none of it is lost when that fails."""
    work.say("ANALYZE")
    with work.host.recorder.timed("gitlab"):
        try:
            _gitlab_psql.analyze(work.host.run, timeout=ANALYZE_SECONDS)
        except _gitlab_psql.DatabaseError as exc:
            work.warnings.append(f"ANALYZE failed, so queries may be slow until PostgreSQL does it by itself: {exc}")


def start(work: Work) -> None:
    names = sorted({*work.journal.running, *_restore_services.WRITERS})
    known = _restore_services.states(work.host.run)
    work.say("starting GitLab")
    with work.host.recorder.timed("gitlab"):
        _restore_services.start(work.host.run, [name for name in names if name in known])

    work.say("waiting until GitLab is ready")
    with work.host.recorder.timed("readiness"):
        words = _gitlab_readiness.wait(work.request.ready_seconds)
    if words:
        raise RestoreFailed(f"GitLab is not ready after {work.request.ready_seconds} s: {words}.")


def check(work: Work) -> None:
    """gitlab:check finds much that has nothing to do with a restore: it is told, and stops nothing."""
    work.say("gitlab:check")
    with work.host.recorder.timed("gitlab"):
        done = work.host.run([work.host.places.rake, "gitlab:check", "SANITIZE=true"], timeout=RAKE_SECONDS)
    findings = _restore_judge.check(done.rc, f"{done.stdout}\n{done.stderr}")
    work.found["check"] = findings
    work.warnings += [f"gitlab:check: {one}" for one in findings]

# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""GitLab's package during an upgrade, and whether its reconfigure was a good one. Standard library of Python 3.9.

dnf says "Complete!" and ends with 0 also where the package's own reconfigure failed, or was left out (server
observations 3, 4). What is believed is the output of that reconfigure, and the state of the migrations.
"""

from __future__ import annotations

import os
import pathlib
import re
import time
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import (
    _backup_store,
    _restore_services,
    _upgrade_look,
    _upgrade_unit,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._upgrade_work import StepFailed, Work

# Our own lock does not hold back our own transaction; a removal must not take along what GitLab needed.
DNF = ("dnf", "-y", "--disableplugin=versionlock", "--setopt=clean_requirements_on_remove=False")
RECONFIGURED = "gitlab Reconfigured!"
COMPLETE = "Upgrade complete!"
NO_RECONFIGURE = "skip-auto-reconfigure"
SKIPPED = (f"Found /etc/gitlab/{NO_RECONFIGURE}, exiting", "It looks like GitLab has not been configured yet")
FAILED = re.compile(r"%posttrans\(\S+\) scriptlet failed|Error running gitlab-ctl reconfigure|"
                    r"There was an error running gitlab-ctl|Error ensuring PostgreSQL is updated|"
                    r"Failed to start \S+ for migrations|problem with public attributes")  # fmt: skip
LOGS = "/var/log/gitlab/reconfigure"
SUPERVISOR = "gitlab-runsvdir"
RAKE_SECONDS = 1800
SUPERVISOR_SECONDS = 60
_SHOWN = 5


def install(work: Work, stop: int, spec: str, package: str, name: str = "package") -> str:
    """Have exactly that package; returns what dnf said, also of an earlier run that came to its end unseen."""
    _upgrade_unit.await_end(work.host.run)
    log = work.log(name, stop)
    there = _upgrade_look.installed(work.host.run)
    if there is not None and there[1] == package:
        return _upgrade_unit.said(log)
    work.say(f"installing {spec}")
    status, text = work.run_to_end([*DNF, "install", spec], name, stop)
    there = _upgrade_look.installed(work.host.run)
    if there is None or there[1] != package:
        raise StepFailed(
            f"{spec} was not installed: dnf ended with {status} and said: {reason(text)}. Its whole output is {log}. "
            "See that the repository offers this package and that dnf works, and mend what the package names."
        )
    relock(work, package)
    return text


def remove(work: Work, stop: int) -> None:
    """Have no package of GitLab's; its data, configuration and services stay."""
    _upgrade_unit.await_end(work.host.run)
    there = _upgrade_look.installed(work.host.run)
    if there is None:
        return
    work.say(f"removing {there[0]}-{there[1]}")
    status, text = work.run_to_end([*DNF, "remove", there[0]], "remove", stop)
    if _upgrade_look.installed(work.host.run) is not None:
        raise StepFailed(
            f"{there[0]} was not removed: dnf ended with {status} and said: {_upgrade_unit.last_words(text)}."
        )


def reason(text: str) -> str:
    """What the package's script gave as its reason, else the end of dnf's output."""
    said = [
        line.partition("gitlab preinstall:")[2].strip() for line in text.splitlines() if "gitlab preinstall:" in line
    ]
    errors = [line.strip() for line in text.splitlines() if line.startswith(("Error:", "No match for argument", "* "))]
    words = [*filter(None, said), *errors]
    return " | ".join(words)[-1200:] if words else _upgrade_unit.last_words(text)


def judged(text: str) -> dict[str, t.Any]:
    """What dnf's output says of the package's own reconfigure: reconfigured, or the words in which it failed."""
    found = FAILED.search(text)
    if found and not any(words in text for words in SKIPPED):
        lines = [line.strip() for line in text.splitlines() if line.strip(" =")]
        at = next((number for number, line in enumerate(lines) if FAILED.search(line)), len(lines))
        return {"reconfigured": False, "failed": " | ".join(lines[max(0, at - 6) : at + 3])[-1200:]}
    good = RECONFIGURED in text and COMPLETE in text and not any(words in text for words in SKIPPED)
    return {"reconfigured": good}


def relock(work: Work, package: str) -> None:
    """A version lock of GitLab's package follows it, so that a routine `dnf upgrade` leaves it alone as before."""
    path = pathlib.Path(work.places.locks)
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return
    wanted = relocked(text, package)
    if wanted != text:
        status = path.stat()
        _backup_store.write_text(path, wanted)
        os.chown(path, status.st_uid, status.st_gid)
        path.chmod(status.st_mode & 0o777)


def relocked(text: str, package: str) -> str:
    """The list of locks with those of GitLab's package on that one; without such a lock, as it is."""
    edition = package.partition("-")[2].partition(".")[0]
    return re.sub(
        r"^gitlab-(?:ce|ee)-0:\d+\.\d+\.\d+-(?:ce|ee)\.\d+\.\w+",
        f"gitlab-{edition}-0:{package}",
        text,
        flags=re.MULTILINE,
    )


def supervised(work: Work) -> None:
    """Have the supervisor run: where a service has none, the package leaves migrations out and says nothing."""
    found = _restore_services.states(work.host.run)
    if found and "fail" not in found.values():
        return
    work.host.run(["systemctl", "start", SUPERVISOR], timeout=120)

    until = time.monotonic() + SUPERVISOR_SECONDS
    while time.monotonic() < until:
        found = _restore_services.states(work.host.run)
        if found and "fail" not in found.values():
            return
        time.sleep(1)
    missing = [name for name, state in found.items() if state == "fail"]
    raise StepFailed(
        f"Services have no supervisor ({', '.join(missing) or 'gitlab-ctl status names none'}), and the package would "
        f"leave out its migrations without a word. Look at systemctl status {SUPERVISOR}."
    )


def reconfigure(work: Work, stop: int, name: str = "reconfigure") -> None:
    work.say("gitlab-ctl reconfigure")
    status, text = work.run_to_end([work.ctl, "reconfigure"], name, stop)
    if status != 0 or RECONFIGURED not in text:
        raise StepFailed(
            f"gitlab-ctl reconfigure ended with {status} and said: {_upgrade_unit.last_words(text)}. Its log "
            f"is in {LOGS}."
        )


def page_down(work: Work) -> None:
    """A pg-upgrade whose last reconfigure failed leaves the deploy page up, in the place of every page of GitLab's."""
    work.host.run([work.ctl, "deploy-page", "down"], timeout=120)


def migrated(work: Work) -> None:
    """Every migration of the code that is there was run; raises StepFailed."""
    _restore_services.start_needed(work.host.run, work.say)
    with work.host.recorder.timed("migrations status"):
        done = work.host.run([work.host.places.rake, "db:migrate:status"], timeout=RAKE_SECONDS)
    down = re.findall(r"^\s*down\s+(\d+)\s+(.*?)\s*$", done.stdout, re.MULTILINE)
    if done.rc != 0:
        raise StepFailed(f"gitlab-rake db:migrate:status ended with {done.rc} and said: {done.words}")
    if down:
        names = ", ".join(f"{number} {name}" for number, name in down[:_SHOWN])
        more = f" and {len(down) - _SHOWN} more" if len(down) > _SHOWN else ""
        raise StepFailed(
            f"{len(down)} migrations were not run: {names}{more}. The reconfigure that should have run them said "
            f"that all is well; its log is in {LOGS}."
        )

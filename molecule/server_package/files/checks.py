# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was seen of the genuine package, held against the package that is installed here (run on a host, as root).

Each step is a command, its exit status and what its output (both streams) has to say, or not to say after a "!".
"""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import time

FAULTS = "/var/opt/gitlab-twin/faults"
DNF = "dnf -y --disablerepo='*' --enablerepo=gitlab_gitlab-ce"
READY_SECONDS = 60


@dataclasses.dataclass(frozen=True)
class Step:
    """One command; with patient it is tried again until it answers as it should."""

    command: str
    code: int = 0
    says: tuple[str, ...] = ()
    patient: bool = False


def failed(command: str, **options: str) -> str:
    """Return a command with a fault on while it runs."""
    on = "; ".join(f"echo {value} > {FAULTS}/{name.replace('_', '-')}" for name, value in options.items())
    return f"mkdir -p {FAULTS}; {on}; {command}; code=$?; rm -f {FAULTS}/*; exit $code"


POSTTRANS = "warning: %posttrans(gitlab-ce-"
STEPS = (
    Step(f"{DNF} install gitlab-ce-99.0.0", 1, ("No match for argument: gitlab-ce-99.0.0",)),
    Step(
        f"{DNF} install gitlab-ce-17.8.1",
        0,
        ("It looks like GitLab has not been configured yet", "Thank you for installing GitLab!", "Complete!"),
    ),
    Step("gitlab-ctl status", 0, ("!run:",)),
    Step("gitlab-rake -T", 1, ("/usr/bin/gitlab-rake error: could not load /opt/gitlab/etc/gitlab-rails-rc",)),
    Step("gitlab-backup --help", 2, ("You can generate it with `sudo gitlab-ctl reconfigure`",)),
    Step("stat -c '%a %U' /etc/gitlab/gitlab.rb", 0, ("600 root",)),
    Step("rpm -e gitlab-ce && ls /usr/bin/gitlab-ctl", 2),
    Step(
        f"EXTERNAL_URL=gitlab.corp.test {DNF} install gitlab-ce-17.8.1",
        0,
        ("gitlab Reconfigured!", "GitLab should be available at http://gitlab.corp.test", "Complete!"),
    ),
    Step("curl -s http://127.0.0.1/-/health", 0, ("GitLab OK",), patient=True),
    Step("stat -c '%a %U' /etc/gitlab/initial_root_password", 0, ("600 root",)),
    Step("gitlab-ctl status", 0, ("run: puma: (pid ", "!down:")),
    Step("gitlab-ctl stop puma sidekiq", 0, ("ok: down: puma: ", "!sidekiq")),
    Step("gitlab-ctl status", 3, ("down: puma: ", "run: sidekiq: ")),
    Step("curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1/-/readiness", 0, ("502",)),
    Step("gitlab-ctl start puma", 0, ("ok: run: puma: ",)),
    Step("gitlab-ctl stop pumaa", 0, ("!ok:",)),
    Step("su nobody -s /bin/sh -c 'gitlab-ctl status puma'", 4, ("unable to open supervise/ok: access denied",)),
    Step("su nobody -s /bin/sh -c 'gitlab-rake -T'", 111, ("chpst: fatal: unable to setgroups: permission denied",)),
    Step("gitlab-psql -d template1 -c 'SHOW server_version' -qt", 0, ("14.",)),
    Step("gitlab-psql -c 'SELECT count(*) FROM users' -At", 0, ("!ERROR",)),
    Step(
        f"{DNF} install gitlab-ce-18.8.11",
        1,
        (
            "gitlab preinstall: It seems you are upgrading from 17.8 to 18.8.",
            "error: %prein(gitlab-ce-18.8.11-",
            "Error: Transaction failed",
            "!Complete!",
        ),
    ),
    Step("rpm -q gitlab-ce && gitlab-ctl status", 0, ("gitlab-ce-17.8.1-ce.0.",)),
    Step(
        failed(f"{DNF} install gitlab-ce-17.11.7", pg_upgrade_fails="text"),
        0,
        (
            "gitlab preinstall: Automatically backing up only the GitLab SQL database",
            "Configuration backup archive complete: /etc/gitlab/config_backup/gitlab_config_",
            "Error ensuring PostgreSQL is updated. Please check the logs",
            POSTTRANS,
            "Complete!",
        ),
    ),
    Step("cat /var/opt/gitlab/postgresql/data/PG_VERSION; gitlab-ctl status puma", 0, ("14", "run: puma:")),
    Step(
        "rm -rf /var/opt/gitlab/postgresql/data.16; gitlab-ctl pg-upgrade -w", 0, ("==== Upgrade has completed ====",)
    ),
    Step("cat /var/opt/gitlab/postgresql/data/PG_VERSION; gitlab-ctl status", 0, ("16",), patient=True),
    Step(
        failed(f"{DNF} install gitlab-ce-18.2.8", reconfigure_fails="migrations"),
        0,
        ("There was an error running gitlab-ctl reconfigure:", POSTTRANS, "Error in POSTTRANS scriptlet", "Complete!"),
    ),
    Step("gitlab-ctl status puma", 3, ("down: puma:",)),
    Step("gitlab-ctl check-config --version=18.5", 1),
    Step("gitlab-ctl reconfigure && gitlab-ctl start && gitlab-ctl check-config --version=18.5", 0, ("!Deprecations",)),
    Step(
        f"touch /etc/gitlab/skip-auto-backup; {DNF} install gitlab-ce-18.5.1",
        0,
        ("The automatic database backup was skipped as requested.", "!Automatically backing up", "Complete!"),
    ),
    Step("curl -s -H 'Host: gitlab.corp.test' http://127.0.0.1/-/health", 0, ("GitLab OK",), patient=True),
    Step("curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1/-/health", 0, ("404",)),
    Step(f"{DNF} upgrade gitlab-ce-18.2.8", 0, ("Nothing to do.",)),
    Step(f"{DNF} remove gitlab-ce", 0, ("Complete!",)),
    Step("ls /usr/bin/gitlab-ctl", 2),
    Step(
        "systemctl is-active gitlab-runsvdir; ls /opt/gitlab /var/opt/gitlab", 0, ("active", "service", "bootstrapped")
    ),
    Step("pgrep -fc '/opt/gitlab/embedded/bin/puma'", 0),
    Step(f"{DNF} install gitlab-ce-18.5.2", 0, ("Upgrade complete!", "!Automatically backing up")),
    Step("rm /etc/gitlab/skip-auto-backup"),
    Step("curl -s http://127.0.0.1/-/health", 0, ("GitLab OK",), patient=True),
)


def _once(step: Step) -> str:
    """Run a step and return what is wrong with its answer."""
    done = subprocess.run(["sh", "-c", step.command], text=True, capture_output=True, check=False)
    said = done.stdout + done.stderr
    wrong = [] if done.returncode == step.code else [f"exit status {done.returncode}, not {step.code}"]
    wrong += [f"does not say {word!r}" for word in step.says if not word.startswith("!") and word not in said]
    wrong += [f"says {word[1:]!r}" for word in step.says if word.startswith("!") and word[1:] in said]
    return "; ".join(wrong) and f"{'; '.join(wrong)}\n{said}"


def _answer(step: Step) -> str:
    end = time.monotonic() + READY_SECONDS
    while (wrong := _once(step)) and step.patient and time.monotonic() < end:
        time.sleep(0.5)
    return wrong


def main() -> int:
    """Run the steps; the first that is wrong ends it."""
    for step in STEPS:
        started = time.monotonic()
        wrong = _answer(step)
        print(f"{time.monotonic() - started:5.1f} s  {step.command.splitlines()[0][:100]}", flush=True)
        if wrong:
            print(f"WRONG: {wrong}", flush=True)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

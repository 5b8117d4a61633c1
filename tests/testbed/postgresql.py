# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real PostgreSQL that lives for one test run: a cluster in a temporary directory, reached by its socket alone."""

from __future__ import annotations

import contextlib
import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile
import typing as t

SYSTEM_USERS = ("postgres", "nobody")  # PostgreSQL refuses to run as root


@contextlib.contextmanager
def cluster() -> t.Iterator[Cluster]:
    """Start one and remove it with everything in it at the end. Raises FileNotFoundError without PostgreSQL."""
    programs = newest_programs()
    user = _user()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="postgresql.", dir="/tmp"))
    try:
        if user:
            shutil.chown(folder, user)
        running = Cluster(programs, folder, user)
        running.start()
        try:
            yield running
        finally:
            running.stop()
    finally:
        shutil.rmtree(folder)


def newest_programs() -> pathlib.Path:
    """Where Debian keeps the programs of the newest installed PostgreSQL."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not found:
        raise FileNotFoundError("PostgreSQL is not installed here (Debian's package postgresql)")
    return found[-1].parent


def _user() -> str | None:
    """Whom it runs as; None where this process is no root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in SYSTEM_USERS if name in names)


class Cluster:
    """One cluster; superuser `gitlab-psql`, as in GitLab's package."""

    def __init__(self, programs: pathlib.Path, folder: pathlib.Path, user: str | None) -> None:
        self.programs = programs
        self.folder = folder
        self._user = user

    def start(self) -> None:
        self._run("initdb", "-D", "data", "-U", "gitlab-psql", "-A", "trust", "-E", "UTF8", "--no-sync")
        options = f"-k {self.folder} -c listen_addresses= -c fsync=off -c statement_timeout=60000"
        self._run("pg_ctl", "-D", "data", "-l", "log", "-w", "-o", options, "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-D", "data", "-m", "immediate", "-w", "stop")

    def psql(self, database: str = "postgres") -> list[str]:
        """How psql is called for a database; the caller adds options."""
        return [str(self.programs / "psql"), "-h", str(self.folder), "-U", "gitlab-psql", "-d", database]

    def sql(self, text: str, database: str = "postgres") -> str:
        """What psql prints for the statements."""
        argv = [*self.psql(database), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]
        done = subprocess.run(argv, input=text, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _run(self, program: str, *arguments: str) -> None:
        argv = [str(self.programs / program), *arguments]
        said = self.folder / "said"
        # A file, because the server inherits what it is started with: a pipe would never end.
        with said.open("w") as output:
            done = subprocess.run(argv, cwd=self.folder, user=self._user, stdout=output, stderr=output, check=False)
        assert done.returncode == 0, f"{argv}: {said.read_text()}"

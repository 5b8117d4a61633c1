# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An instance below a temporary root: PostgreSQL is up, the schema is there, commands run in this process."""

from __future__ import annotations

import contextlib
import io
import json
import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest
from testbed.gitlab_server.rails import rake, runner
from testbed.gitlab_server.rails.places import Places
from testbed.gitlab_server.rails.psql import program

VERSION = "18.8.7"


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    rc: int
    stdout: str
    stderr: str

    @property
    def messages(self) -> list[str]:
        """The lines of a backup without their times and what is around them."""
        return [line.partition(" UTC -- ")[2] or line for line in self.stdout.splitlines()]


class Instance:
    """A GitLab of one version."""

    def __init__(self, root: Path) -> None:
        self.places = Places(root)
        for folder in (*self.places.folders(), self.places.data, self.places.faults, self.places.rails_etc):
            folder.mkdir(parents=True, exist_ok=True)
        (self.places.data / "PG_VERSION").write_text("16\n")
        self.places.socket.touch()
        self.install(VERSION)
        self.secret("of this instance")
        assert self.rake("gitlab:db:configure").rc == 0

    def install(self, version: str) -> None:
        (self.places.rails / "VERSION").write_text(version + "\n")

    def secret(self, key: str) -> None:
        self._etc("secrets.yml", {"db_key_base": key})

    def settings(self, **sections: t.Any) -> None:
        self._etc("gitlab.yml", sections)

    def _etc(self, name: str, content: dict[str, t.Any]) -> None:
        (self.places.rails_etc / name).write_text(json.dumps({"production": content}))

    def fault(self, name: str, argument: str = "") -> None:
        (self.places.faults / name).write_text(argument + "\n")

    def rake(self, *words: str, stdin: str = "", **env: str) -> Done:
        return self._run(lambda: rake.main(words, self.places, env), stdin)

    def runner(self, code: str) -> Done:
        return self._run(lambda: runner.main(["runner", "-e", "production", code], self.places, {}))

    def psql(self, *words: str, stdin: str = "") -> Done:
        return self._run(lambda: program.main(words, self.places), stdin)

    def sql(self, text: str) -> str:
        """What psql prints for one statement, rows as text."""
        done = self.psql("-tAc", text)
        assert done.rc == 0, done.stderr
        return done.stdout.strip()

    def _run(self, main: t.Callable[[], int], stdin: str = "") -> Done:
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sys.stdin", io.StringIO(stdin))
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                rc = main()
        return Done(rc, out.getvalue(), err.getvalue())

    @property
    def archives(self) -> list[Path]:
        return sorted(self.places.backups.glob("*_gitlab_backup.tar"))


@pytest.fixture
def gitlab(tmp_path: Path) -> Instance:
    return Instance(tmp_path)

# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The wrappers, with chpst itself and other programs in Rake's and psql's place (observed 7)."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from testbed.gitlab_server import pack

# Says who it is, where, with which words and which environment.
STUB = """\
#!/bin/sh
echo "$(id -un):$(id -gn) $PWD $HOME $SKIP"
for word in "$@"; do echo "[$word]"; done
cat "@ROOT@/stdin" 2>/dev/null
exit "$(cat "@ROOT@/code" 2>/dev/null || echo 0)"
"""
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the wrappers change the user: only root can")


@dataclasses.dataclass
class Wrappers:
    """The wrappers below a root that everybody may read; nobody and nogroup are GitLab's accounts here."""

    root: Path

    def run(self, *words: str, user: str = "", stdin: str = "", **env: str) -> tuple[int, str, str]:
        command = [f"{self.root}/opt/gitlab/bin/{words[0]}", *words[1:]]
        if user:
            command = ["setpriv", "--reuid", user, "--regid", "nogroup", "--clear-groups", *command]
        done = subprocess.run(
            command, env={**os.environ, **env}, input=stdin, text=True, capture_output=True, check=False, cwd=self.root
        )
        return done.returncode, done.stdout.replace(str(self.root), ""), done.stderr.replace(str(self.root), "")

    def put(self, path: str, text: str, mode: int = 0o644) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)
        return file

    def reconfigure(self, registry: str = "") -> None:
        rails = f"gitlab_user='nobody'\ngitlab_group='nogroup'\nregistry_dir='{registry}'\n"
        self.put("opt/gitlab/etc/gitlab-rails-rc", rails)
        psql = "psql_user='nobody'\npsql_group='nogroup'\npsql_host='/var/opt/gitlab/postgresql'\npsql_port='5432'\n"
        self.put("opt/gitlab/etc/gitlab-psql-rc", f"{psql}psql_dbname='gitlabhq_production'\n")
        self.put("opt/gitlab/etc/gitlab-rails/env/HOME", "/var/opt/gitlab")


@pytest.fixture
def wrappers(tmp_path: Path) -> Wrappers:
    for folder in [tmp_path, *tmp_path.parents]:
        if folder.owner() == "root" and str(folder).startswith("/tmp/pytest"):
            folder.chmod(0o755)
    found = Wrappers(tmp_path)
    for source in (pack.FILES / "bin").iterdir():
        text = re.sub(r"(?<![\w.])/(opt/gitlab)", rf"{tmp_path}/\1", source.read_text()).replace("@PROGRAM@", "rake")
        found.put(f"opt/gitlab/bin/{source.name}", text.replace(':git"', ':nogroup"'), 0o755)
    for name in ("rake", "psql"):
        found.put(f"opt/gitlab/embedded/bin/{name}", STUB.replace("@ROOT@", str(tmp_path)), 0o755)
    shutil.copy("/usr/bin/chpst", tmp_path / "opt/gitlab/embedded/bin/chpst")
    (tmp_path / "opt/gitlab/embedded/service/gitlab-rails").mkdir(parents=True)
    return found


FOLDER = "/opt/gitlab/embedded/service/gitlab-rails"
BEFORE = "Either you are not allowed to read the file, or it does not exist yet.\n"


@pytest.mark.parametrize(
    ("name", "code", "out", "err"),
    [
        pytest.param(
            "gitlab-rake",
            1,
            "/opt/gitlab/bin/gitlab-rake error: could not load /opt/gitlab/etc/gitlab-rails-rc\n"
            f"{BEFORE}You can generate it with:   sudo gitlab-ctl reconfigure\n",
            "",
            id="rake-on-stdout",
        ),
        pytest.param(
            "gitlab-psql",
            1,
            "/opt/gitlab/bin/gitlab-psql error: could not load /opt/gitlab/etc/gitlab-psql-rc\n"
            f"{BEFORE}You can generate it with:   sudo gitlab-ctl reconfigure\n",
            "",
            id="psql-on-stdout",
        ),
        pytest.param(
            "gitlab-backup",
            2,
            "",
            "/opt/gitlab/bin/gitlab-backup error: could not load /opt/gitlab/etc/gitlab-rails-rc\n"
            f"{BEFORE}You can generate it with `sudo gitlab-ctl reconfigure`\n",
            id="backup-on-stderr",
        ),
    ],
)
def test_before_the_first_reconfigure(wrappers: Wrappers, name: str, code: int, out: str, err: str) -> None:
    assert wrappers.run(name, "--help") == (code, out, err)


@pytest.mark.parametrize("user", ["", "nobody"], ids=["from-root", "as-the-account-itself"])
def test_rake_gets_its_words_exactly(wrappers: Wrappers, user: str) -> None:
    wrappers.reconfigure()
    wrappers.put("code", "3")
    code, out, err = wrappers.run("gitlab-rake", "a b", 'c"d', "", "*", user=user)
    assert (code, err) == (3, "")
    assert out.splitlines() == [f"nobody:nogroup {FOLDER} /var/opt/gitlab ", "[a b]", '[c"d]', "[]", "[*]"]


@pytest.mark.parametrize(("setting", "seen"), [("", "caller"), ("gitlab.rb", "gitlab.rb")], ids=["passes", "loses"])
def test_the_callers_environment_passes_unless_gitlab_rb_says_otherwise(
    wrappers: Wrappers, setting: str, seen: str
) -> None:
    wrappers.reconfigure()
    if setting:
        wrappers.put("opt/gitlab/etc/gitlab-rails/env/SKIP", setting)
    _code, out, _err = wrappers.run("gitlab-rake", SKIP="caller")
    assert out.splitlines()[0] == f"nobody:nogroup {FOLDER} /var/opt/gitlab {seen}"


@pytest.mark.parametrize("name", ["gitlab-rake", "gitlab-psql", "gitlab-backup"])
def test_other_users_are_refused(wrappers: Wrappers, name: str) -> None:
    wrappers.reconfigure()
    refused = "chpst: fatal: unable to setgroups: permission denied\n"
    assert wrappers.run(name, user="daemon") == (111, "", refused)


def test_psql(wrappers: Wrappers) -> None:
    wrappers.reconfigure()
    wrappers.put("code", "2")
    code, out, _err = wrappers.run("gitlab-psql", "-d", "template1", "-c", "SHOW server_version", HOME="/home/me")
    assert code == 2
    words = ["-p", "5432", "-h", "/var/opt/gitlab/postgresql", "-d", "gitlabhq_production", "-d", "template1", "-c"]
    assert out.splitlines() == [
        "nobody:nogroup /tmp /home/me ",
        *(f"[{word}]" for word in (*words, "SHOW server_version")),
    ]


@pytest.mark.parametrize(
    ("words", "code", "rake", "err"),
    [
        pytest.param((), 0, ["gitlab:backup:create"], "", id="create-is-meant"),
        pytest.param(("create", "SKIP=db"), 0, ["gitlab:backup:create", "SKIP=db"], "", id="create"),
        pytest.param(
            ("create", "BACKUP=my backup"), 0, ["gitlab:backup:create", "BACKUP=my", "backup"], "", id="split"
        ),
        pytest.param(("create", "op*"), 0, ["gitlab:backup:create", "opt"], "", id="globbed"),
        pytest.param(("create", "-x"), 0, ["gitlab:backup:create", "-x"], "", id="option-goes-to-rake"),
        pytest.param(("SKIP=db",), 1, None, "Unknown command: SKIP=db\n", id="unknown-command"),
        pytest.param(("-x",), 1, None, "Unsupported option: -x\n", id="unsupported-option"),
    ],
)
def test_backup(wrappers: Wrappers, words: tuple[str, ...], code: int, rake: list[str] | None, err: str) -> None:
    wrappers.reconfigure()
    found, out, said = wrappers.run("gitlab-backup", *words)
    assert (found, said) == (code, err)
    assert (out.splitlines()[1:] or None) == (rake and [f"[{word}]" for word in rake])


@pytest.mark.parametrize("words", [("-h",), ("create", "-h"), ("restore", "--help")], ids=" ".join)
def test_backup_usage(wrappers: Wrappers, words: tuple[str, ...]) -> None:
    wrappers.reconfigure()
    code, out, _err = wrappers.run("gitlab-backup", *words)
    assert (code, out.splitlines()[0]) == (0, "Usage:")


@pytest.mark.parametrize("code", [0, 1])
def test_restore_hands_the_registry_over_and_back(wrappers: Wrappers, code: int) -> None:
    folder = wrappers.root / "registry"
    folder.mkdir()
    wrappers.reconfigure(str(folder))
    wrapper = wrappers.root / "opt/gitlab/bin/gitlab-backup"
    wrapper.write_text(wrapper.read_text().replace("hand_over registry", "hand_over daemon"))
    wrappers.put("code", str(code))
    found, out, _err = wrappers.run("gitlab-backup", "restore", "BACKUP=1")
    lines = out.splitlines()
    assert found == code
    assert (lines[0], lines[-1]) == (
        "Transfering ownership of /registry to nobody",
        "Transfering ownership of /registry to daemon",
    )
    assert "[gitlab:backup:restore]" in lines
    assert (folder.owner(), folder.group()) == ("daemon", "root")

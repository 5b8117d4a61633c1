# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lays out a release of the twin as its package installs it. Not part of what is packed."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

from testbed.errors import TestbedError

from . import releases
from .releases import PG_VERSIONS, Release

SOURCE = Path(__file__).resolve().parent
FILES = SOURCE / "files"
LIB = "opt/gitlab/embedded/lib"
LEFT_OUT = shutil.ignore_patterns("__pycache__", "pack.py", "spec.py", "files", "__main__.py")
# Debian's runit 2.1.2: GitLab supervises with the same programs.
RUNIT = ("chpst", "runsv", "runsvdir", "sv", "svlogd")

# name in embedded/bin (or bin) -> module and function
PROGRAMS = {
    "bin/gitlab-ctl": "ctl.app:main",
    "embedded/bin/cinc-client": "chef.client:main",
    "embedded/bin/nginx": "web.nginx:main",
    "embedded/bin/psql": "rails.programs:psql",
    "embedded/bin/puma": "web.puma:main",
    "embedded/bin/rails": "rails.programs:rails",
    "embedded/bin/rake": "rails.programs:rake",
    "embedded/bin/ruby": "ruby.program:main",
    "embedded/bin/sidekiq": "web.sidekiq:main",
}
# -I and -S: nothing of the caller's environment or of other packages' start-up code gets in. Compiled files go to a
# folder of this content and this account: rpm gives the files of all versions one date, by which Python would tell old
# from new, and what lies beside them would stay behind when the package goes.
LAUNCHER = """\
#!/usr/bin/python3 -IS
# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
import os
import sys

sys.pycache_prefix = f"/var/cache/gitlab-twin/{digest}-{os.geteuid()}"
sys.path.insert(0, "/opt/gitlab/embedded/lib")
from testbed.gitlab_server.{module} import {function}

sys.exit({function}())
"""


def _write(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)


def _runit(dest: Path) -> None:
    for name in RUNIT:
        found = shutil.which(name, path="/usr/bin:/usr/sbin:/bin:/sbin")
        if not found:
            raise TestbedError("The twin's services need the Debian package runit: `apt-get install runit`.")
        shutil.copyfile(found, dest / name)
        (dest / name).chmod(0o755)


def _digest(folder: Path) -> str:
    known = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        known.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return known.hexdigest()[:16]


def _programs(opt: Path, digest: str) -> None:
    for name, place in PROGRAMS.items():
        module, function = place.split(":")
        text = LAUNCHER.replace("{digest}", digest).replace("{module}", module).replace("{function}", function)
        _write(opt / name, text, 0o755)
    for source in sorted((FILES / "embedded").iterdir()):
        _write(opt / "embedded/bin" / source.name, source.read_text(encoding="utf-8"), 0o755)
    for source in sorted((FILES / "bin").iterdir()):
        _write(opt / "bin" / source.name, source.read_text(encoding="utf-8").replace("@PROGRAM@", "rake"), 0o755)
    rails = (FILES / "bin/gitlab-rake").read_text(encoding="utf-8").replace("@PROGRAM@", "rails")
    _write(opt / "bin/gitlab-rails", rails, 0o755)


def lay_out_common(dest: Path) -> None:
    """Put what all releases have under the build root dest."""
    opt, lib = dest / "opt/gitlab", dest / LIB / "testbed"
    lib.mkdir(parents=True)
    shutil.copyfile(SOURCE.parent / "__init__.py", lib / "__init__.py")
    for name in ("gitlab_server", "gitlab_api"):
        shutil.copytree(SOURCE.parent / name, lib / name, ignore=LEFT_OUT)
    _programs(opt, _digest(lib))
    _runit(opt / "embedded/bin")
    for name in ("solo.rb", "dna.json", "postgresql-bin.json"):
        _write(opt / "embedded/cookbooks" / name, "{}\n" if name.endswith("json") else "# the twin's\n")
    unit = (FILES / "etc/gitlab-runsvdir.service").read_text(encoding="utf-8")
    _write(opt / "embedded/cookbooks/gitlab-runsvdir.service", unit)
    template = (FILES / "etc/gitlab.rb.template").read_text(encoding="utf-8")
    _write(opt / "etc/gitlab.rb.template", template)
    _write(
        opt / "embedded/service/gitlab-rails/public/deploy.html", "<!DOCTYPE html>\n<title>Deploy in progress</title>\n"
    )
    (dest / "var/cache/gitlab-twin").mkdir(parents=True)
    (dest / "var/cache/gitlab-twin").chmod(0o1777)


def revision(release: Release, edition: str) -> str:
    """Return a commit as a release names it: eleven digits."""
    return hashlib.sha256(f"{release.version} {edition}".encode()).hexdigest()[:11]


def lay_out_release(release: Release, edition: str, dest: Path) -> None:
    """Put what only this release has under the build root dest."""
    opt, rails = dest / "opt/gitlab", dest / "opt/gitlab/embedded/service/gitlab-rails"
    name = f"gitlab-{edition}"
    _write(rails / "VERSION", f"{releases.rails_version(release.version, edition)}\n")
    _write(rails / "REVISION", f"{revision(release, edition)}\n")
    rows = [("gitlab-rails", release.version), ("postgresql", PG_VERSIONS[release.minor.pg_default])]
    rows += [("postgresql_new", PG_VERSIONS[major]) for major in release.minor.pg_shipped[1:]]
    table = "".join(f"{component:<24}{version}\n" for component, version in rows)
    _write(opt / "version-manifest.txt", f"{name} {release.version}\n\nComponent               Version\n{table}")
    software = {component: {"locked_version": version} for component, version in rows}
    manifest = {"manifest_format": 2, "software": software, "build_version": release.version}
    _write(opt / "version-manifest.json", json.dumps(manifest, indent=2) + "\n")
    for major in release.minor.pg_shipped:
        _write(opt / f"embedded/postgresql/{major}/VERSION", f"{PG_VERSIONS[major]}\n")

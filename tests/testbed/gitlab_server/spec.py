# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rpm spec of every release, with the real package's scriptlet order (server facts 4, observed 1)."""

from __future__ import annotations

from pathlib import Path

from testbed.packages.spec import PREAMBLE

from . import releases
from .releases import Release

SCRIPTLETS = Path(__file__).resolve().parent / "files" / "scriptlets"
SECTIONS = (("pre", "pre"), ("post", "post"), ("postun", "postun"), ("posttrans", "posttrans"))
EDITIONS = ("ce", "ee", "fips")
# From this package on a file turns a refusal of check-config into a warning (server facts 4.3).
SKIPPABLE_SINCE = (18, 2, 0)

TAGS = """\
Requires: openssh-server
Requires: policycoreutils-python-utils
Requires: perl-interpreter
"""
BODY = """
%description
GitLab {version}.

%files
/opt/gitlab/bin
/opt/gitlab/embedded
/opt/gitlab/etc/gitlab.rb.template
/opt/gitlab/version-manifest.json
/opt/gitlab/version-manifest.txt
%dir %attr(1777, root, root) /var/cache/gitlab-twin

"""


def package_release(edition: str, dist: str) -> str:
    """Return the release part of a package's version (server facts 4.1)."""
    return f"{edition}.0.{dist}"


def scriptlet(name: str, release: Release) -> str:
    """Return a scriptlet's text with what this release builds into it."""
    minimum = release.minor.minimum
    values = {
        "@MINIMUM@": f"{minimum[0]}.{minimum[1]}",
        "@INCOMING@": release.minor.name,
        "@PG_MINIMUM@": str(release.minor.pg_minimum),
        "@SKIPPABLE@": "yes" if release.numbers >= SKIPPABLE_SINCE else "",
    }
    text = (SCRIPTLETS / name).read_text(encoding="utf-8")
    for mark, value in values.items():
        text = text.replace(mark, value)
    return text


def server_spec(release: Release, edition: str = releases.CE, dist: str = "el9") -> str:
    """Return the spec of a release."""
    name = f"gitlab-{edition}"
    text = PREAMBLE.format(name=name, version=release.version, release=package_release(edition, dist))
    text = text.replace("Summary: GitLab Runner", "Summary: GitLab") + TAGS
    for other in EDITIONS:
        if other != edition:
            text += f"Obsoletes: gitlab-{other}\nConflicts: gitlab-{other}\n"
    text += BODY.format(version=release.version)
    for section, file in SECTIONS:
        text += f"%{section}\n{scriptlet(file, release).replace('%', '%%')}\n"
    return text

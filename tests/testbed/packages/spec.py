# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rpm spec of a runner version: names, requirements and scriptlets of the real packages (runner facts 3.4, 9)."""

from __future__ import annotations

from testbed.packages.versions import HELPER, RELEASE, RUNNER, has_helper

# Packed as they are: no stripping, no debug packages, no requirements guessed from the files.
PREAMBLE = """\
%global debug_package %{{nil}}
%global __os_install_post %{{nil}}
%global _build_id_links none
%global _binary_payload w1.gzdio
%global _buildhost testbed
%global use_source_date_epoch_as_buildtime 1
%global clamp_mtime_to_source_date_epoch 1

Name: {name}
Version: {version}
Release: {release}
Summary: GitLab Runner
License: MIT
Group: Development/Tools
URL: https://docs.gitlab.com/runner/
AutoReqProv: no
"""

RUNNER_TAGS = """\
Requires: git
Requires: curl
Requires: tar
Conflicts: gitlab-runner-beta
Conflicts: gitlab-ci-multi-runner
"""

HELPER_TAGS = """\
%package -n {helper}
Summary: GitLab Runner helper images
Group: Development/Tools
BuildArch: noarch
AutoReqProv: no

%description -n {helper}
The helper images of GitLab Runner {version}.

%files -n {helper}
/usr/lib/gitlab-runner/helper-images

"""

BODY = """\
%description
GitLab Runner {version}.

%files
/usr/bin/gitlab-runner
%attr(0755, root, root) /usr/share/gitlab-runner/*
{more_files}
%post
/usr/share/gitlab-runner/post-install
if [ -z "$NO_DOCKER_PRUNE" ]; then
    /usr/share/gitlab-runner/clear-docker-cache prune || :
fi

%preun
if [ "$1" = 0 ]; then
    /usr/share/gitlab-runner/pre-remove || :
fi
"""

# EL and Amazon packages ask for what a Debian userland has without rpm's knowledge.
BASE_NAME = "testbed-base"
BASE_PROVIDES = (
    "/bin/sh",
    "/bin/bash",
    "/usr/bin/sh",
    "/usr/bin/bash",
    "/usr/bin/env",
    "/usr/bin/python3",
    "/usr/sbin/useradd",
    "/usr/sbin/groupadd",
    "bash",
    "ca-certificates",
    "coreutils",
    "curl",
    "dnf",
    "dnf-command(versionlock)",
    "dnf-plugins-core",
    "git",
    "gnupg2",
    "gzip",
    "hostname",
    "iproute",
    "openssh-server",
    "openssl",
    "perl-interpreter",
    "policycoreutils-python-utils",
    "procps-ng",
    "python3",
    "python3-dnf",
    "python3-dnf-plugin-versionlock",
    "rpm",
    "shadow-utils",
    "sudo",
    "systemd",
    "tar",
    "util-linux",
    "xz",
    "yum",
    "yum-plugin-versionlock",
)

BASE = """\
Name: {name}
Version: 1
Release: 1
Summary: What the system under the testbed's packages has
License: GPL-3.0-or-later
Group: System
BuildArch: noarch
AutoReqProv: no
{provides}

%description
Tells rpm what the host has already, so that scriptlets and requirements of packages are met.

%files
"""


DOCKER_NAME = "docker"

DOCKER = """\
Name: {name}
Version: 25.0.8
Release: 1
Summary: Automates deployment of containerized applications
License: Apache-2.0
Group: Development/Tools
BuildArch: noarch
AutoReqProv: no

%description
Stands where Docker would: the socket is there, containers are not.

%files
/usr/bin/docker
/usr/bin/dockerd
/usr/lib/systemd/system/docker.service

%post
systemctl daemon-reload || :
"""


def runner_spec(version: str, *, twin_files: bool, release: str = RELEASE) -> str:
    """Return the spec of the runner and, since the split, of its helper package."""
    split = has_helper(version)
    text = PREAMBLE.format(name=RUNNER, version=version, release=release) + RUNNER_TAGS
    if split:
        text += f"Requires: {HELPER} = {version}-{release}\n"
    more = ["/usr/lib/gitlab-runner/twin"] if twin_files else []
    if not split:
        more.append("/usr/lib/gitlab-runner/helper-images")
    text += "\n" + (HELPER_TAGS.format(helper=HELPER, version=version) if split else "")
    return text + BODY.format(version=version, more_files="".join(f"{line}\n" for line in more))


def base_spec() -> str:
    """Return the spec of the package that speaks for the host's own programs."""
    return BASE.format(name=BASE_NAME, provides="\n".join(f"Provides: {name}" for name in BASE_PROVIDES))


def docker_spec() -> str:
    """Return the spec of the package that stands in Docker's place."""
    return DOCKER.format(name=DOCKER_NAME)

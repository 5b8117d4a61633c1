# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do about what dnf said: the first remedy whose words fit."""

from __future__ import annotations

import re

# The last fits whatever is said; PREFIX stands for the role's.
_REMEDIES = (
    (
        r"nothing provides gitlab-runner-helper-images|conflicting requests|requires gitlab-runner-helper-images",
        "The repository lacks gitlab-runner-helper-images of exactly this version and release: set PREFIX_version to a "
        "version that it has both packages of.",
    ),
    (
        r"no match for argument|no package .* available|packages? .* not found",
        "The repository does not offer this version: set PREFIX_version to one of those that "
        '"dnf list --showduplicates PACKAGE" shows on the host.',
    ),
    (
        r"repomd\.xml|status code. [45]|curl error|failed to download metadata|cannot prepare internal mirrorlist"
        r"|failed to synchronize cache",
        "Check that the host reaches PREFIX_repo_baseurl (address, proxy), and that PREFIX_repo_gpgkeys holds the key "
        "that signs its metadata; if it does, do not trust this repository.",
    ),
    (
        r"gpg|not signed|signature|public key",
        "Check that PREFIX_repo_gpgkeys holds the key that signs the packages; if it does, do not trust this "
        "repository. Packages without a good signature are never installed.",
    ),
    (r"no space left|disk space|more space needed", "Make room on the file system that is named, then run this again."),
    (
        r"lockfile|waiting for process|another copy is running",
        "Another dnf is running on the host. Wait until it ends, then run this again.",
    ),
    ("", "Run the same dnf install on the host and look at /var/log/dnf.log there."),
)


def remedy(said: str, package: str, prefix: str) -> str:
    """The sentence for people; prefix is that of the role's variables."""
    words = next(words for pattern, words in _REMEDIES if re.search(pattern, said, re.IGNORECASE))
    return words.replace("PREFIX", prefix).replace("PACKAGE", package)

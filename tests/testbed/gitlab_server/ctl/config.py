# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""reconfigure, show-config, diff-config, check-config, upgrade-check, deploy-page."""

from __future__ import annotations

import json
import shutil
import sys
import typing as t
from pathlib import Path

from ..chef.removed import findings, numbers
from .node import Node, say

NO_NODE = "JSON file with existing configuration not found inside /opt/gitlab/embedded/nodes."
MALFORMED = """\
Malformed configuration JSON file found at {path}.
This usually happens when your last run of `gitlab-ctl reconfigure` didn't complete successfully.
This file is used to check if any of the unsupported configurations are enabled,
and hence require a working reconfigure before upgrading.
Please run `sudo gitlab-ctl reconfigure` to fix it and try again."""
MALFORMED_IS_FINE = (19, 3, 0)
FINDINGS = "Deprecations found. Please correct them and try again."


def reconfigure(node: Node, _arguments: t.Sequence[str]) -> int:
    """Run Chef; any failure of it is 1."""
    if not node.is_root:
        say("This command must be executed as root user")
        return 1
    if node.chef("dna.json").returncode:
        return 1
    say("gitlab Reconfigured!")
    return 0


def show_config(node: Node, _arguments: t.Sequence[str]) -> int:
    """Print the configuration as JSON; the node JSON is gone after it (observed 5)."""
    from ..chef.config import ConfigError, read

    shutil.rmtree(node.places.nodes, ignore_errors=True)
    try:
        config = read(node.places, node.release.numbers)
    except ConfigError as exc:
        print(f"\nThere was an error running gitlab-ctl reconfigure:\n\n{exc}", file=sys.stderr)
        return 1
    say(json.dumps({**config.attributes, "external_url": config.external_url}, indent=2))
    return 0


def diff_config(node: Node, _arguments: t.Sequence[str]) -> int:
    """Show how gitlab.rb differs from the template."""
    template = node.places.opt / "etc/gitlab.rb.template"
    for path in (node.places.gitlab_rb, template):
        if not path.exists():
            say(f"Could not find '{path}' file. Is your package installed correctly?")
            return 1
    node.show(["git", "--no-pager", "diff", "--no-index", str(node.places.gitlab_rb), str(template)])
    return 0


def _node_json(node: Node) -> t.Optional[Path]:
    return next(iter(sorted(node.places.nodes.glob("*.json"))), None) if node.places.nodes.is_dir() else None


def _options(arguments: t.Sequence[str]) -> tuple[t.Optional[str], bool]:
    """Return the incoming version, None without one, and whether findings are no failure."""
    version, fail, words = None, True, list(arguments)
    while words:
        word = words.pop(0)
        if word in ("-n", "--no-fail"):
            fail = False
        elif word.startswith("--version="):
            version = word.partition("=")[2]
        elif word in ("-v", "--version") and words:
            version = words.pop(0)
        elif word.startswith("-"):
            raise ValueError(f"invalid option: {word}")
    return version, fail


def check_config(node: Node, arguments: t.Sequence[str]) -> int:
    """Look for settings that an incoming version has dropped, in what the last reconfigure left."""
    try:
        version, fail = _options(arguments)
    except ValueError as exc:
        print(f"parse_options: {exc} (OptionParser::InvalidOption)", file=sys.stderr)
        return 1
    if not version:
        return 0
    if not node.places.public_attributes.exists():
        say("Public attributes file is missing, run gitlab-ctl reconfigure to re-create it.")
        return 1
    file = _node_json(node)
    if file is None:
        say(f"{NO_NODE}\nSkipping config check.")
        return 0
    content = json.loads(file.read_text(encoding="utf-8"))
    if "normal" not in content:
        say(MALFORMED.format(path=file))
        return 0 if node.release.numbers >= MALFORMED_IS_FINE else 1
    found = findings(content["normal"], node.release.numbers, numbers(version))
    for entry in found:
        say(f"* {entry.text}")
    if found:
        say(FINDINGS)
    return int(bool(found) and fail)


def upgrade_check(node: Node, arguments: t.Sequence[str]) -> int:
    """Compare the first version with the installed package's minimum; the second is only printed (observed 5)."""
    if len(arguments) < 2:
        return 0
    old, new = (".".join(word.split(".")[:2]) for word in arguments[:2])
    minimum = node.release.minor.minimum
    if numbers(old) >= minimum:
        return 0
    name = f"{minimum[0]}.{minimum[1]}"
    major = old.split(".")[0] != new.split(".")[0]
    link = "index.html#upgrading-to-a-new-major-version" if major else "#upgrade-paths"
    print(f"It seems you are upgrading from {old} to {new}.", file=sys.stderr)
    print(
        f"It is required to upgrade to the latest {name}.x version first before proceeding.\n"
        f"Please follow the upgrade documentation at https://docs.gitlab.com/ee/update/{link}",
        file=sys.stderr,
    )
    return 1


def deploy_page(node: Node, arguments: t.Sequence[str]) -> int:
    """Put the deploy page up or down, or say which it is (server facts 6)."""
    public = node.places.rails / "public"
    page, index = public / "deploy.html", public / "index.html"
    command = arguments[0] if arguments else ""
    if command == "up":
        shutil.copyfile(page, index)
    elif command == "down":
        index.unlink(missing_ok=True)
    elif command != "status":
        say("Usage: gitlab-ctl deploy-page COMMAND (up, down or status)")
        return 1
    say(f"Deploy page is {'up' if index.exists() else 'down'}")
    return 0

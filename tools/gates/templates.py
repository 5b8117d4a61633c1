# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gates of CloudFormation templates: cfn-lint, checkov, and parliament for the IAM policies in them.

What one of them is told to skip says why, in the template itself.
"""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._cfn_evaluate import Evaluator, Unknown
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._cfn_template import load

from gates import environments, outcome, places

Json = dict[str, t.Any]
POLICY_HOLDERS = {"AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy", "AWS::IAM::UserPolicy"}
PSEUDO = {
    "AWS::Region": "eu-central-1",
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::StackName": "stack",
    "AWS::URLSuffix": "amazonaws.com",
}
MARK = "AWSTemplateFormatVersion"
# Why something is skipped has to be more than a word.
SKIP = re.compile(r"^\s*- id: (?P<id>\S+)(?:\n\s*comment: (?P<comment>.*))?", re.MULTILINE)
LEAST_REASON = 20


def found(root: pathlib.Path = places.ROOT) -> list[pathlib.Path]:
    """The templates that the roles bring; not as .yml, for ansible-lint and Galaxy load no YAML with tags."""
    return sorted(path for path in root.glob("roles/*/files/*.template") if MARK in path.read_text())


def cfn_lint(templates: t.Sequence[pathlib.Path] | None = None) -> outcome.Outcome:
    """Schemas, types, references; warnings count, too."""
    paths = found() if templates is None else templates
    if not paths:
        return outcome.Outcome(note="there are no templates")
    status, text = outcome.captured(["cfn-lint", "--include-checks", "W", "--", *paths])
    return outcome.judged(status == 0, text, f"{len(paths)} templates")


def checkov(templates: t.Sequence[pathlib.Path] | None = None) -> outcome.Outcome:
    """Security of what a template makes; every skip has its reason."""
    paths = found() if templates is None else templates
    if not paths:
        return outcome.Outcome(note="there are no templates")
    program = environments.environment("policy") / "checkov"
    # Alone on the path, so that it does not find the controller's boto3.
    env = places.environment({"LOG_LEVEL": "ERROR"}, program.parent)
    named = [word for path in paths for word in ("--file", path)]
    argv = [program, "--framework", "cloudformation", "--skip-download", "--quiet", "--compact", *named]
    status, text = outcome.captured(argv, env=env)
    text += "".join(
        f"{places.relative(path)}: {name} is skipped without a reason\n" for path in paths for name in _bare(path)
    )
    return outcome.judged(status == 0 and "without a reason" not in text, text)


def _bare(path: pathlib.Path) -> list[str]:
    """Checks that a template skips without saying why."""
    return [one["id"] for one in SKIP.finditer(path.read_text()) if len(one["comment"] or "") < LEAST_REASON]


def parliament(templates: t.Sequence[pathlib.Path] | None = None) -> outcome.Outcome:
    """IAM policies: unknown actions, resources that an action does not take, malformed statements."""
    paths = found() if templates is None else templates
    documents = [{"where": where, "policy": policy} for path in paths for where, policy in policies(path)]
    if not documents:
        return outcome.Outcome(note="there are no policies")
    python = environments.environment("policy") / "python"
    done = subprocess.run(
        [str(python), str(pathlib.Path(__file__).with_name("parliament_check.py"))],
        input=json.dumps(documents),
        capture_output=True,
        text=True,
        check=False,
    )
    return outcome.judged(done.returncode == 0, done.stdout + done.stderr, f"{len(documents)} policies")


def policies(path: pathlib.Path) -> list[tuple[str, Json]]:
    """Every identity policy of a template, with where it is; what is known only later stands as "*"."""
    listed: list[tuple[str, Json]] = []
    for name, kind, properties, _comes in Evaluator(load(path.read_text()), {}, PSEUDO).resources():
        where = f"{places.relative(path)}: {name}"
        if kind in POLICY_HOLDERS:
            listed.append((where, properties["PolicyDocument"]))
        inline = (
            properties.get("Policies", []) if kind in ("AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group") else []
        )
        listed += [(f"{where}.{one['PolicyName']}", one["PolicyDocument"]) for one in inline]
    return [(where, _plain(policy)) for where, policy in listed]


def _plain(value: t.Any) -> t.Any:
    if isinstance(value, Unknown):
        return "*"
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value

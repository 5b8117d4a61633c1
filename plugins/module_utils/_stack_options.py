# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options with which a task says what is wanted of a stack (doc fragment cloudformation)."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._stack import Json, Wish

CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
ARGUMENT_SPEC: Json = {
    "stack_name": {"type": "str", "required": True},
    "template_body": {"type": "str"},
    "template_bucket": {"type": "str"},
    "parameters": {"type": "dict", "default": {}},
    "secret_parameters": {"type": "dict", "default": {}, "no_log": True},
    "tags": {"type": "dict", "default": {}},
    "capabilities": {"type": "list", "elements": "str", "choices": CAPABILITIES, "default": CAPABILITIES[:2]},
    "role_arn": {"type": "str"},
    "notification_arns": {"type": "list", "elements": "str", "default": []},
    "termination_protection": {"type": "bool"},
}


def text(value: t.Any) -> str | None:
    """A value as CloudFormation takes it: words, with true and false in small letters and lists joined by commas."""
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return ",".join(str(text(one)) for one in value)
    return json.dumps(value, sort_keys=True) if isinstance(value, dict) else str(value)


def wish(params: t.Mapping[str, t.Any], **more: t.Any) -> Wish:
    """What the options ask for; more are the fields of a Wish that only some modules have."""
    secret = params["secret_parameters"]
    given = {**params["parameters"], **secret}
    return Wish(
        name=params["stack_name"],
        template=params["template_body"] or "",
        parameters={key: text(value) for key, value in given.items()},
        tags={str(key): str(text(value)) for key, value in params["tags"].items()},
        capabilities=tuple(params["capabilities"]),
        role_arn=params["role_arn"] or None,
        notification_arns=tuple(params["notification_arns"]),
        termination_protection=params["termination_protection"],
        secrets=frozenset(secret),
        template_bucket=params["template_bucket"] or None,
        **more,
    )

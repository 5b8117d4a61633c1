# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds a template against rules; all of it is a pure function, so that it costs no process and no question."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible.plugins.action import ActionBase
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _guardrails
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._cfn_template import TemplateError

Result = dict[str, t.Any]
STRINGS = {"type": "list", "elements": "str"}
RULES: dict[str, t.Any] = {
    "regions": STRINGS,
    "accounts": STRINGS,
    "instance_types": STRINGS,
    "max_instances": {"type": "int"},
    "max_volume_gib": {"type": "int"},
    "public_addresses": {"type": "bool"},
    "open_ingress": {"type": "bool"},
    "required_tags": {"type": "dict"},
    "permissions_boundary": {"type": "str"},
    "encryption": {"type": "bool"},
    "imdsv2": {"type": "bool"},
}
ARGUMENT_SPEC: dict[str, t.Any] = {
    "template_body": {"type": "str", "required": True},
    "parameters": {"type": "dict", "default": {}},
    "tags": {"type": "dict", "default": {}},
    "stack_name": {"type": "str", "default": ""},
    "region": {"type": "str", "default": ""},
    "account": {"type": "str", "default": ""},
    "on_undecided": {"type": "str", "choices": ["warn", "fail"], "default": "warn"},
    "rules": {"type": "dict", "default": {}, "options": RULES},
}


class ActionModule(ActionBase):
    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> Result:
        result: Result = super().run(tmp, task_vars)
        args = self.validate_argument_spec(ARGUMENT_SPEC)[1]
        subject = _guardrails.Subject(
            template=args["template_body"],
            parameters=args["parameters"],
            tags=args["tags"],
            stack_name=args["stack_name"],
            region=args["region"],
            account=args["account"],
        )
        try:
            found = _guardrails.check(subject, _guardrails.Rules.from_mapping(args["rules"]))
        except TemplateError as exc:
            return {**result, "failed": True, "msg": f"Could not read the template: {exc}. Nothing was changed."}
        result["changed"] = False
        result["violations"] = [dataclasses.asdict(one) for one in found.violations]
        result["undecided"] = [dataclasses.asdict(one) for one in found.undecided]
        failing = [*found.violations, *(found.undecided if args["on_undecided"] == "fail" else ())]
        if failing:
            result["failed"] = True
            result["msg"] = _guardrails.message(failing)
        elif found.undecided:
            lines = "; ".join(one.line() for one in found.undecided)
            result["warnings"] = [f"These can't be held against the rules before the stack is made: {lines}"]
        return result

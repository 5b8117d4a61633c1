# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a request asks of a stack, refused in AWS's words where AWS refuses it."""

from __future__ import annotations

import re
import typing as t

from moto.cloudformation.exceptions import CloudFormationError, ValidationError
from moto.cloudformation.models import Stack
from moto.cloudformation.responses import CloudFormationResponse
from moto.cloudformation.utils import generate_stack_id

from testbed.aws import resources, stack_diff

Json = dict[str, t.Any]
SETTLED = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE"})
NAMED_IAM = ("RoleName", "UserName", "GroupName", "PolicyName", "InstanceProfileName", "ManagedPolicyName")


class InsufficientCapabilitiesError(CloudFormationError):
    code = "InsufficientCapabilitiesException"


class StackRequests(CloudFormationResponse):
    """Reads and checks what is asked for."""

    def _template(self, stack: t.Optional[Stack]) -> str:
        if self._get_bool_param("UsePreviousTemplate", False) and stack is not None:
            return str(stack.template)
        url = self._get_param("TemplateURL")
        body = self._get_stack_from_s3_url(url) if url else self._get_param("TemplateBody")
        if not body:
            raise ValidationError(message="Either Template URL or Template Body must be specified.")
        return str(body)

    def _tags(self) -> dict[str, str]:
        return {tag["Key"]: tag["Value"] for tag in self._get_param("Tags", [])}

    def _parameters(self, template: Json, stack: t.Optional[Stack]) -> dict[str, str]:
        declared = template.get("Parameters") or {}
        given = {one["ParameterKey"]: one for one in self._get_param("Parameters", [])}
        unknown = sorted(set(given) - set(declared))
        if unknown:
            raise ValidationError(message=f"Parameters: [{', '.join(unknown)}] do not exist in the template")
        previous = stack.parameters if stack is not None else {}
        values = {
            key: previous[key] if one.get("UsePreviousValue") else str(one["ParameterValue"])
            for key, one in given.items()
        }
        missing = sorted(key for key, one in declared.items() if "Default" not in one and key not in values)
        if missing:
            raise ValidationError(message=f"Parameters: [{', '.join(missing)}] must have values")
        for key, value in values.items():
            _check_constraints(key, value, declared[key])
        return values

    def _check_capabilities(self, template: Json) -> None:
        needed = capabilities(template)
        given = set(self._get_param("Capabilities", []))
        if needed and needed not in given and not (needed == "CAPABILITY_IAM" and "CAPABILITY_NAMED_IAM" in given):
            raise InsufficientCapabilitiesError(f"Requires capabilities : [{needed}]")

    def _asked(self, stack: t.Optional[Stack]) -> tuple[str, dict[str, str]]:
        """The template and the parameters of this request, checked as AWS checks them."""
        name = str(self._get_param("StackName"))
        if not re.fullmatch(r"[a-zA-Z][-a-zA-Z0-9]*|arn:.*", name):
            raise ValidationError(
                message=f"1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: "
                "Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
            )
        text = self._template(stack)
        template = parsed(text)
        resources.refuse_unknown(template)
        parameters = self._parameters(template, stack)
        self._check_capabilities(template)
        return text, parameters

    def _settled(self, name: str) -> Stack:
        stack = self.cloudformation_backend.get_stack(name)
        if stack.status not in SETTLED:
            raise ValidationError(message=f"Stack:{stack.stack_id} is in {stack.status} state and can not be updated.")
        return stack

    def _named(self, name: str) -> t.Optional[Stack]:
        every = self.cloudformation_backend.stacks.values()
        return next((one for one in every if name in (one.name, one.stack_id)), None)

    def _new_stack(self, name: str) -> Stack:
        region, account = self.region, self.current_account
        stack = Stack(
            stack_id=generate_stack_id(name, region, account),
            name=name,
            template={},
            parameters={},
            account_id=account,
            region_name=region,
            notification_arns=self._get_param("NotificationARNs", []),
            role_arn=self._get_param("RoleARN"),
            cross_stack_resources=self.cloudformation_backend.exports,
        )
        self.cloudformation_backend.stacks[stack.stack_id] = stack
        return stack

    def _unchanged(self, stack: Stack, template: str, parameters: dict[str, str]) -> bool:
        wanted = Stack.parse_template(template)
        before = {key: stack.template_dict.get(key) for key in ("Outputs", "Description")}
        after = {key: wanted.get(key) for key in ("Outputs", "Description")}
        same = before == after and stack.tags == self._tags()
        return same and not stack_diff.changes(stack, wanted, parameters)


def parsed(text: str) -> t.Any:
    """The template, or AWS's words for a text that is none."""
    try:
        template = Stack.parse_template(text)
    except ValueError as exc:
        raise ValidationError(message=f"Template format error: JSON not well-formed. {exc}") from exc
    if not isinstance(template, dict):
        raise ValidationError(message="Template format error: unsupported structure.")
    if not template.get("Resources"):
        raise ValidationError(message="Template format error: At least one Resources member must be defined.")
    return template


def capabilities(template: Json) -> str:
    """The capability that the template's resources ask for; empty for none."""
    iam = [one for one in template["Resources"].values() if str(one.get("Type")).startswith("AWS::IAM::")]
    named = any(set(NAMED_IAM) & set(one.get("Properties") or {}) for one in iam if one["Type"] != "AWS::IAM::Policy")
    return "CAPABILITY_NAMED_IAM" if named else "CAPABILITY_IAM" if iam else ""


def _check_constraints(key: str, value: str, declared: Json) -> None:
    allowed = [str(one) for one in declared.get("AllowedValues", [])]
    pattern = declared.get("AllowedPattern")
    problem = ""
    if allowed and value not in allowed:
        problem = f"Parameter '{key}' must be one of AllowedValues"
    elif pattern and not re.fullmatch(str(pattern), value):
        problem = (
            f"Parameter {key} failed to satisfy constraint: Member must satisfy regular expression pattern: {pattern}"
        )
    elif declared.get("Type") == "Number" and not re.fullmatch(r"-?\d+(\.\d+)?", value):
        problem = f"Parameter '{key}' must be a number not '{value}'."
    if problem:
        raise ValidationError(message=problem)

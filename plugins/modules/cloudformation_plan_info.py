#!/usr/bin/python
# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run would change of a stack, and what has drifted."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudformation_plan_info
short_description: Show what would change of a CloudFormation stack, and what has drifted
version_added: 0.1.0
author: Fleetwright contributors (@fleetwright)
description:
  - Asks CloudFormation for a change set and deletes it again, with the empty stack that it brings where there was none.
  - Parameters that are secret for the template (C(NoEcho)) or the task are shown without their values.
  - Changes nothing, in check mode and outside of it.
extends_documentation_fragment:
  - fleetwright.gitlab_aws.attributes
  - fleetwright.gitlab_aws.cloudformation
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
options:
  template_body:
    description: The template's text, JSON or YAML. Without it only drift is looked for.
  drift:
    description:
      - Whether CloudFormation looks at each resource of the stack. It takes a while, and some types are not looked at.
    type: bool
    default: false
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
"""

EXAMPLES = r"""
- name: Look what an update would do
  fleetwright.gitlab_aws.cloudformation_plan_info:
    stack_name: gitlab-artifacts
    region: eu-central-1
    template_body: "{{ lookup('ansible.builtin.file', 'artifacts.yml') }}"
  register: plan

- name: Show it
  ansible.builtin.debug:
    var: plan.plan.lines

- name: Look what somebody changed by hand
  fleetwright.gitlab_aws.cloudformation_plan_info:
    stack_name: gitlab-artifacts
    region: eu-central-1
    drift: true
"""

RETURN = r"""
stack_status:
  description: The stack's status, none where there is no stack.
  returned: success
  type: str
  sample: UPDATE_COMPLETE
plan:
  description: What would be done, as M(fleetwright.gitlab_aws.cloudformation_stack) returns it.
  returned: when O(template_body) is given
  type: dict
  sample: {step: update, added: [], changed: [], replaced: [], removed: [], lines: ["~ parameter Days: 7 -> 30"]}
drift:
  description: Resources that are no longer as the stack made them.
  returned: when O(drift=true)
  type: list
  elements: dict
  sample:
    - logical_id: Bucket
      physical_id: gitlab-artifacts
      type: AWS::S3::Bucket
      status: MODIFIED
      differences: [{path: /VersioningConfiguration/Status, expected: Enabled, actual: Suspended, type: NOT_EQUAL}]
"""

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _stack_api, _stack_options
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._aws import AwsError, connect
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._change_set import Planner
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._stack import Step, Wish, decide_present
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._stack_run import Refused

ARGUMENT_SPEC: dict[str, t.Any] = {
    **_stack_options.ARGUMENT_SPEC,
    "drift": {"type": "bool", "default": False},
}


def run(module: t.Any) -> dict[str, t.Any]:
    """Ask what would change and what has drifted."""
    aws, wish = connect(module), _stack_options.wish(module.params)
    stack = _stack_api.read(aws, wish.name)
    result: dict[str, t.Any] = {"changed": False, "stack_status": stack.status if stack else None}
    if wish.template:
        result["plan"] = plan(Planner(aws, wish, str(module.region)), stack, wish)
    if module.params["drift"]:
        result["drift"] = _stack_api.drift(aws, stack.stack_id) if stack else []
    return result


def plan(planner: Planner, stack: t.Any, wish: Wish) -> dict[str, t.Any]:
    """The plan of a stack that takes one; raises Refused for a status in which CloudFormation plans nothing."""
    decision = decide_present(stack, wish)
    if decision.step not in (Step.CREATE, Step.UPDATE):
        raise Refused(decision.message)
    made = planner.plan(stack)
    planner.drop(made)
    return made.plan.as_result()


def main() -> None:
    module = AnsibleAWSModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    try:
        result = run(module)
    except (AwsError, Refused) as exc:
        module.fail_json(msg=str(exc))
    module.exit_json(**result)


if __name__ == "__main__":
    main()

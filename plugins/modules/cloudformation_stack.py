#!/usr/bin/python
# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One look at a stack, or one step on it; the action plugin of the same name goes from step to step."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudformation_stack
short_description: Bring a CloudFormation stack to its template and parameters
version_added: 0.1.0
author: Fleetwright contributors (@fleetwright)
description:
  - Asks CloudFormation for a change set, shows it, and executes exactly that. Without changes the stack is left as it
    is, and the result says so. In check mode the change set is deleted again.
  - Shows the stack's events while it waits. A run that was killed is picked up by the next one.
  - What an earlier failure left is told apart and dealt with, or refused with what to do. A stack that something else
    works on is waited for.
extends_documentation_fragment:
  - fleetwright.gitlab_aws.attributes
  - fleetwright.gitlab_aws.cloudformation
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
options:
  state:
    description: V(present) creates or updates the stack, V(absent) deletes it.
    type: str
    choices: [present, absent]
    default: present
  on_create_failure:
    description:
      - What becomes of a stack that can't be created. V(ROLLBACK) removes the resources and keeps the stack's events,
        V(DELETE) removes the stack too, V(DO_NOTHING) leaves all for a look.
      - With V(DELETE), what an earlier failed create left half way is deleted before the next try.
    type: str
    choices: [ROLLBACK, DELETE, DO_NOTHING]
    default: ROLLBACK
  protected_types:
    description:
      - Types of resources, as patterns, that hold data. A plan that would replace or remove one is refused.
    type: list
    elements: str
    default:
      - AWS::S3::Bucket
      - AWS::SecretsManager::Secret
      - AWS::KMS::Key
      - AWS::EFS::FileSystem
      - AWS::RDS::*
      - AWS::DynamoDB::*
      - AWS::ECR::Repository
  when_busy:
    description: What to do when something else works on the stack.
    type: str
    choices: [wait, fail]
    default: wait
  continue_rollback:
    description: Whether a rollback that got stuck is continued before the update.
    type: bool
    default: false
  resources_to_skip:
    description: Resources that O(continue_rollback) leaves as they are.
    type: list
    elements: str
    default: []
  retain_resources:
    description: Resources that a deletion leaves where an earlier one failed on them.
    type: list
    elements: str
    default: []
  wait_timeout:
    description: How many seconds CloudFormation is waited for. It goes on when they are over; the next run picks it up.
    type: int
    default: 3600
  watch:
    description: An operation to go on watching. For the action plugin's own use.
    type: dict
    suboptions:
      stack_id:
        description: The stack's id.
        type: str
        required: true
      step:
        description: What is done to it.
        type: str
        required: true
      after:
        description: The last event that was seen.
        type: str
        required: true
      again:
        description: Whether there is more to do when it has ended.
        type: bool
        required: true
      begun:
        description: Whether a sign of it was seen.
        type: bool
        required: true
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
"""

EXAMPLES = r"""
- name: Make the stack
  fleetwright.gitlab_aws.cloudformation_stack:
    stack_name: gitlab-artifacts
    region: eu-central-1
    template_body: "{{ lookup('ansible.builtin.file', 'artifacts.yml') }}"
    parameters:
      ExpirationDays: 30
    tags:
      team: build
    termination_protection: true

- name: Delete it
  fleetwright.gitlab_aws.cloudformation_stack:
    stack_name: gitlab-artifacts
    region: eu-central-1
    state: absent
    termination_protection: false
"""

RETURN = r"""
stack_id:
  description: The stack's ARN, none where there is no stack.
  returned: success
  type: str
  sample: arn:aws:cloudformation:eu-central-1:123456789012:stack/gitlab-artifacts/1c2fa620-982a-11e3-aff7-50e2416294e0
stack_status:
  description: The stack's status after the task.
  returned: success
  type: str
  sample: CREATE_COMPLETE
outputs:
  description: The stack's outputs.
  returned: success
  type: dict
  sample: {BucketName: gitlab-artifacts-bucket}
plan:
  description: What was to be done.
  returned: success
  type: dict
  contains:
    step:
      description: V(create), V(update), V(delete), V(nothing), or in check mode also what has to come before.
      type: str
      returned: success
    added:
      description: Resources that come to be.
      type: list
      elements: dict
      returned: success
    changed:
      description: Resources that are changed in place.
      type: list
      elements: dict
      returned: success
    replaced:
      description: Resources that are or may be replaced by new ones.
      type: list
      elements: dict
      returned: success
    removed:
      description: Resources that go.
      type: list
      elements: dict
      returned: success
    lines:
      description: All of it, a line each, as the diff shows it.
      type: list
      elements: str
      returned: success
events:
  description: What CloudFormation did, a line an event.
  returned: changed
  type: list
  elements: str
  sample: ["12:30:04 CREATE_COMPLETE Bucket (AWS::S3::Bucket)"]
"""

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _stack_options
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._aws import AwsError, connect
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._stack_run import Refused, Run, Watch

LOOK_FOR_SECONDS = 15.0
PROTECTED_TYPES = [
    "AWS::S3::Bucket",
    "AWS::SecretsManager::Secret",
    "AWS::KMS::Key",
    "AWS::EFS::FileSystem",
    "AWS::RDS::*",
    "AWS::DynamoDB::*",
    "AWS::ECR::Repository",
]
WATCH = {
    "stack_id": {"type": "str", "required": True},
    "step": {"type": "str", "required": True},
    "after": {"type": "str", "required": True},
    "again": {"type": "bool", "required": True},
    "begun": {"type": "bool", "required": True},
}
ARGUMENT_SPEC: dict[str, t.Any] = {
    **_stack_options.ARGUMENT_SPEC,
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "on_create_failure": {"type": "str", "choices": ["ROLLBACK", "DELETE", "DO_NOTHING"], "default": "ROLLBACK"},
    "protected_types": {"type": "list", "elements": "str", "default": PROTECTED_TYPES},
    "when_busy": {"type": "str", "choices": ["wait", "fail"], "default": "wait"},
    "continue_rollback": {"type": "bool", "default": False},
    "resources_to_skip": {"type": "list", "elements": "str", "default": []},
    "retain_resources": {"type": "list", "elements": "str", "default": []},
    "wait_timeout": {"type": "int", "default": 3600},
    "watch": {"type": "dict", "options": WATCH},
}


def run(module: t.Any) -> dict[str, t.Any]:
    """Do one step, or look how one goes on."""
    params = module.params
    wish = _stack_options.wish(
        params,
        on_create_failure=params["on_create_failure"],
        protected_types=tuple(params["protected_types"]),
        when_busy=params["when_busy"],
        continue_rollback=params["continue_rollback"],
        resources_to_skip=tuple(params["resources_to_skip"]),
        retain_resources=tuple(params["retain_resources"]),
    )
    work = Run(connect(module), wish, str(module.region), check_mode=module.check_mode)
    if params["watch"]:
        return {"changed": False, **work.watch(Watch(**params["watch"]), LOOK_FOR_SECONDS)}
    return work.start(params["state"])


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec=ARGUMENT_SPEC,
        supports_check_mode=True,
        required_if=[("state", "present", ("template_body",))],
    )
    try:
        result = run(module)
    except (AwsError, Refused) as exc:
        module.fail_json(msg=str(exc))
    module.exit_json(**result)


if __name__ == "__main__":
    main()

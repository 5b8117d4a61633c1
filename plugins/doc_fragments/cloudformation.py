# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the modules that plan and change a CloudFormation stack."""

from __future__ import annotations


class ModuleDocFragment:
    """What is wanted of a stack."""

    DOCUMENTATION = r"""
options:
  stack_name:
    description: The stack.
    type: str
    required: true
  template_body:
    description: The template's text, JSON or YAML. Required with O(state=present).
    type: str
  template_bucket:
    description:
      - A bucket of this region that takes the template where it is larger than the 51,200 bytes that a call takes.
    type: str
  parameters:
    description:
      - Values of the template's parameters. What is not named gets the template's default; V(null) keeps the value that
        the stack has. Lists are joined by commas.
      - Parameters that the template does not have, or needs and does not get, are refused.
    type: dict
    default: {}
  secret_parameters:
    description: More of O(parameters), whose values are shown nowhere.
    type: dict
    default: {}
  tags:
    description: Tags of the stack; CloudFormation hands them on to the resources that take tags.
    type: dict
    default: {}
  capabilities:
    description: What the template may do.
    type: list
    elements: str
    choices: [CAPABILITY_IAM, CAPABILITY_NAMED_IAM, CAPABILITY_AUTO_EXPAND]
    default: [CAPABILITY_IAM, CAPABILITY_NAMED_IAM]
  role_arn:
    description: The role that CloudFormation works with, in place of the caller's own rights.
    type: str
  notification_arns:
    description: SNS topics that get the stack's events.
    type: list
    elements: str
    default: []
  termination_protection:
    description: Whether the stack can't be deleted; left alone when not given.
    type: bool
notes:
  - Needs neither the AWS CLI nor Node.js.
"""

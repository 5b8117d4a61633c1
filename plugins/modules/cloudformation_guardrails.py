#!/usr/bin/python
# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of cloudformation_guardrails; the work is done by the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudformation_guardrails
short_description: Hold a CloudFormation template and its parameters against rules before anything is made
version_added: 0.1.0
author: Fleetwright contributors (@fleetwright)
description:
  - Works out the template with its parameters, conditions, mappings and functions, as far as that can be known
    beforehand, and fails when a rule is broken, with every place where it is.
  - What is known only when the stack is made (attributes of resources, values from SSM, macros) is said.
  - Asks nobody, neither AWS nor a host.
extends_documentation_fragment:
  - fleetwright.gitlab_aws.attributes
options:
  template_body:
    description: The template's text, JSON or YAML.
    type: str
    required: true
  parameters:
    description: Values of the template's parameters; its defaults count for the others.
    type: dict
    default: {}
  tags:
    description: Tags of the stack.
    type: dict
    default: {}
  stack_name:
    description: The stack.
    type: str
    default: ""
  region:
    description: Where the stack shall be.
    type: str
    default: ""
  account:
    description: The account that the stack shall be in.
    type: str
    default: ""
  on_undecided:
    description: What to do about what can't be known beforehand. V(warn) says it, V(fail) fails.
    type: str
    choices: [warn, fail]
    default: warn
  rules:
    description: The rules. One that is not named does not apply.
    type: dict
    default: {}
    suboptions:
      regions:
        description: Patterns of allowed regions.
        type: list
        elements: str
      accounts:
        description: Patterns of allowed accounts.
        type: list
        elements: str
      instance_types:
        description: >-
          Patterns of allowed instance types, wherever a template names one; attribute-based choices have to be limited
          to them.
        type: list
        elements: str
      max_instances:
        description: How many machines a group, a schedule, a service or a CodeBuild fleet may have.
        type: int
      max_volume_gib:
        description: How large a volume may be, in GiB.
        type: int
      public_addresses:
        description: With V(false), nothing may get a public address or be reachable from outside.
        type: bool
      open_ingress:
        description: With V(false), no security group may let everybody in.
        type: bool
      required_tags:
        description: Tags that the stack must have, with patterns of their values.
        type: dict
      permissions_boundary:
        description: A pattern of the permissions boundary that every role and user must have.
        type: str
      encryption:
        description: With V(true), volumes, file systems, databases and topics must be encrypted, and say so.
        type: bool
      imdsv2:
        description: With V(true), launch templates must ask for version 2 of the instance metadata service.
        type: bool
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
"""

EXAMPLES = r"""
- name: Hold the template against the rules of the house
  fleetwright.gitlab_aws.cloudformation_guardrails:
    template_body: "{{ lookup('ansible.builtin.file', 'fleet.yml') }}"
    parameters:
      InstanceType: m7i.large
    tags:
      cost-center: "4711"
    region: eu-central-1
    rules:
      regions: [eu-*]
      instance_types: [m7i.*, m7g.*]
      max_instances: 20
      public_addresses: false
      open_ingress: false
      required_tags: {cost-center: "[0-9]*"}
      permissions_boundary: arn:aws:iam::*:policy/builders
      encryption: true
      imdsv2: true
"""

RETURN = r"""
violations:
  description: Where a rule is broken.
  returned: always
  type: list
  elements: dict
  sample:
    - rule: instance_types
      where: Workers.LaunchTemplateData.InstanceType
      found: m5.24xlarge
      wanted: allowed are m7i.*
undecided:
  description: What can't be known before the stack is made.
  returned: always
  type: list
  elements: dict
  sample: []
"""

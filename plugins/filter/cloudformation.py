# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters for stacks."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _cfn_parameters


def cloudformation_parameters(text: str) -> dict[str, t.Any]:
    """The text of a file of parameters, as a mapping."""
    try:
        return _cfn_parameters.parse(text)
    except _cfn_parameters.ParametersError as exc:
        raise AnsibleFilterError(f"Could not read the parameters: {exc}. Nothing was changed.") from exc


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"cloudformation_parameters": cloudformation_parameters}

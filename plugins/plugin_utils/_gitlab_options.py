# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options with which a task says how GitLab is reached (doc fragment gitlab)."""

from __future__ import annotations

import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_endpoint import Endpoint

ARGUMENT_SPEC: dict[str, t.Any] = {
    "api_url": {"type": "str", "required": True},
    "api_token": {"type": "str", "no_log": True},
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path"},
    "client_cert": {"type": "path"},
    "client_key": {"type": "path"},
    "timeout": {"type": "int", "default": 30},
    "connections": {"type": "int", "default": 128},
}


def endpoint(args: t.Mapping[str, t.Any]) -> Endpoint:
    """The endpoint that the options describe; an empty api_token is none."""
    return Endpoint(
        api_url=args["api_url"],
        api_token=args["api_token"] or None,
        validate_certs=args["validate_certs"],
        ca_path=args["ca_path"],
        client_cert=args["client_cert"],
        client_key=args["client_key"],
        timeout=float(args["timeout"]),
    )

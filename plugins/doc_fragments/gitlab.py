# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the modules that talk to GitLab."""

from __future__ import annotations


class ModuleDocFragment:
    """How GitLab's API is reached."""

    DOCUMENTATION = r"""
options:
  api_url:
    description: GitLab's base URL, for example V(https://gitlab.example.com), with or without C(/api/v4).
    type: str
    required: true
  api_token:
    description:
      - An access token (personal, group or project) with the scopes C(create_runner) and C(manage_runner), or C(api).
      - Without one, only the runners' own tokens are used.
    type: str
  validate_certs:
    description: Whether GitLab's certificate is checked.
    type: bool
    default: true
  ca_path:
    description: A file with the certificate authorities that may have signed GitLab's certificate, on the controller.
    type: path
  client_cert:
    description: A client certificate in PEM, on the controller.
    type: path
  client_key:
    description: The key of O(client_cert), unless it is in the same file.
    type: path
  timeout:
    description: How many seconds one answer of GitLab may take.
    type: int
    default: 30
  connections:
    description: How many requests are under way at once. GitLab's rate limits have a say in it.
    type: int
    default: 128
notes:
  - The proxy is taken from the controller's environment (C(https_proxy), C(http_proxy), C(no_proxy)).
"""

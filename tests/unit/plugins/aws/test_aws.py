# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of AWS as users read them."""

from __future__ import annotations

import botocore.exceptions
import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._aws import Aws, AwsError, translated
from testbed.aws import AwsServer


def client_error(code: str, message: str) -> Exception:
    return botocore.exceptions.ClientError({"Error": {"Code": code, "Message": message}}, "DescribeStacks")


@pytest.mark.parametrize(
    ("raised", "words"),
    [
        (
            client_error("ExpiredToken", "The security token has expired"),
            ["Could not read it: The security", "Give current"],
        ),
        (client_error("AccessDenied", "not authorized"), ["Allow cloudformation:DescribeStacks for", "boundary"]),
        (client_error("ValidationError", "Bad value."), ["Bad value. Correct what AWS names."]),
        (botocore.exceptions.NoCredentialsError(), ["Unable to locate credentials. Give current credentials"]),
        (
            botocore.exceptions.EndpointConnectionError(endpoint_url="https://x"),
            ["Could not connect to the endpoint", "Check region and endpoint_url"],
        ),
    ],
)
def test_translated(raised: Exception, words: list[str]) -> None:
    said = str(translated(raised, "read it", "cloudformation:DescribeStacks"))
    assert [word for word in words if word not in said] == []


def test_call_and_pages(aws: Aws, server: AwsServer) -> None:
    assert aws.call("sts", "get_caller_identity", "ask who calls")["Account"] == "123456789012"
    with pytest.raises(AwsError, match="Could not read the stack: Stack with id no does not exist"):
        aws.call("cloudformation", "describe_stacks", "read the stack", StackName="no", NextToken=None)
    server.client("ssm").put_parameter(Name="/a", Value="1", Type="String")
    assert [one["Name"] for one in aws.pages("ssm", "describe_parameters", "Parameters", "list them")] == ["/a"]

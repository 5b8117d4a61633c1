# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one place for boto3: clients as amazon.aws makes them, calls that retry, errors that say what to do.

A module hands in its AnsibleAWSModule, a test a client of its own; nothing here imports either.
"""

from __future__ import annotations

import typing as t

try:
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError
except ImportError:  # AnsibleAWSModule says what is missing

    class BotoCoreError(Exception):  # type: ignore[no-redef]
        """Stands in for botocore's."""

    class ClientError(Exception):  # type: ignore[no-redef]
        """Stands in for botocore's."""

        response: dict[str, t.Any] = {}

    class ResponseParserError(Exception):  # type: ignore[no-redef]
        """Stands in for botocore's."""


Json = dict[str, t.Any]

LOG_IN = "Give current credentials: a profile, AWS_ACCESS_KEY_ID and its companions, or the role of this machine."
ALLOW = "Allow {action} for whoever makes this call, and look whether a service control policy or boundary denies it."
REMEDIES = {
    "AuthFailure": LOG_IN,
    "ExpiredToken": LOG_IN,
    "ExpiredTokenException": LOG_IN,
    "InvalidClientTokenId": LOG_IN,
    "UnrecognizedClientException": LOG_IN,
    "SignatureDoesNotMatch": LOG_IN,
    "NoCredentialsError": LOG_IN,
    "PartialCredentialsError": LOG_IN,
    "RequestExpired": "Set this machine's clock: AWS takes no request that is minutes old.",
    "AccessDenied": ALLOW,
    "AccessDeniedException": ALLOW,
    "UnauthorizedOperation": ALLOW,
    "OptInRequired": "Enable the region for the account, or choose another.",
    "EndpointConnectionError": "Check region and endpoint_url, and that this machine reaches AWS (proxy, firewall).",
    "ConnectTimeoutError": "Check that this machine reaches AWS (proxy, firewall).",
    "SSLError": "Set aws_ca_bundle to the certificate authority of what stands between.",
    "Throttling": "AWS limits the rate of calls: try again later, or run less at once.",
    "ResponseParserError": "Check that endpoint_url is AWS itself, and what stands between (proxy).",
    "InsufficientCapabilitiesException": "Add the capability that AWS names to capabilities.",
}
OTHERWISE = "Correct what AWS names."
# Clients without a region of their own; IAM answers from one place.
Client = t.Any


class AwsError(Exception):
    """A call that failed: what was tried, what came back, what to do. code is AWS's or botocore's word for it."""

    def __init__(self, attempt: str, code: str, detail: str, remedy: t.Optional[str] = None) -> None:
        self.code = code
        self.detail = detail
        super().__init__(f"Could not {attempt}: {_sentence(detail)} {remedy or REMEDIES.get(code, OTHERWISE)}")


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return text if text.endswith((".", "!", "?")) else f"{text}."


def translated(exc: Exception, attempt: str, action: str) -> AwsError:
    """What botocore raised, as the error that users read. action is named where the right to it is missing."""
    response = getattr(exc, "response", None)
    if response:
        error = response.get("Error", {})
        code, detail = str(error.get("Code", "")), str(error.get("Message") or error.get("Code") or exc)
    else:
        code, detail = type(exc).__name__, str(exc)
    remedy = REMEDIES.get(code, OTHERWISE).format(action=action)
    return AwsError(attempt, code, detail, remedy)


class Aws:
    """Calls to AWS; a client is made when a service is first asked for something."""

    def __init__(self, make_client: t.Callable[[str], Client]) -> None:
        self._make_client = make_client
        self._clients: dict[str, Client] = {}

    def call(self, service: str, operation: str, attempt: str, **arguments: t.Any) -> Json:
        """Call an operation by its name in boto3; `attempt` completes the sentence "Could not ...".

        Raises AwsError. None among the arguments is left out.
        """
        given = {name: value for name, value in arguments.items() if value is not None}
        try:
            return t.cast(Json, getattr(self._client(service), operation)(**given))
        except (ClientError, BotoCoreError, ResponseParserError) as exc:
            raise translated(exc, attempt, f"{service}:{_action(operation)}") from exc

    def pages(self, service: str, operation: str, key: str, attempt: str, **arguments: t.Any) -> list[t.Any]:
        """All items of an operation that answers in pages, each a list under the key."""
        found: list[t.Any] = []
        try:
            for page in self._client(service).get_paginator(operation).paginate(**arguments):
                found.extend(page.get(key, []))
        except (ClientError, BotoCoreError, ResponseParserError) as exc:
            raise translated(exc, attempt, f"{service}:{_action(operation)}") from exc
        return found

    def _client(self, service: str) -> Client:
        if service not in self._clients:
            self._clients[service] = self._make_client(service)
        return self._clients[service]


def _action(operation: str) -> str:
    return "".join(word.capitalize() for word in operation.split("_"))


def connect(module: t.Any) -> Aws:
    """Calls with the credentials, region and endpoint of an AnsibleAWSModule; botocore retries what is worth it."""
    from botocore.config import Config

    patience = Config(retries={"mode": "standard", "max_attempts": 8})  # the module's aws_config wins over it
    return Aws(lambda service: module.client(service, config=patience))

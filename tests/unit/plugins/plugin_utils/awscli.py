# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in of the aws command: `aws s3api OPERATION --option value` by boto3, with its words for errors."""

from __future__ import annotations

import json
import pathlib
import typing as t

import botocore.exceptions
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._host_command import Completed

GLOBAL = ("output", "region", "endpoint-url")
NUMBERS = ("PartNumber",)
NAMES = {"SsekmsKeyId": "SSEKMSKeyId", "ChecksumSha256": "ChecksumSHA256"}


class Aws:
    """Runs what would be a process here, with a client of the server; calls are the operations, in their order."""

    def __init__(self, client: t.Any) -> None:
        self._client = client
        self.calls: list[str] = []

    def run(self, argv: t.Sequence[str], **unused: t.Any) -> Completed:
        operation, words = argv[2], argv[3:]
        self.calls.append(operation)
        options = dict(zip(words[::2], words[1::2], strict=True))
        parameters: dict[str, t.Any] = {}
        for option, value in options.items():
            plain = option.removeprefix("--")
            name = "".join(word.capitalize() for word in plain.split("-"))
            if plain not in GLOBAL:
                parameters[NAMES.get(name, name)] = _value(name, value)
        try:
            answer = getattr(self._client, operation.replace("-", "_"))(**parameters)
        except botocore.exceptions.ClientError as exc:
            return Completed(254, "", f"\n{exc}\n")
        answer.pop("ResponseMetadata", None)
        return Completed(0, json.dumps(answer, default=str, indent=4) if answer else "")


def _value(name: str, value: str) -> t.Any:
    if name in NUMBERS:
        return int(value)
    if name == "Body":
        return pathlib.Path(value).read_bytes()
    return json.loads(pathlib.Path(value.removeprefix("file://")).read_text()) if value.startswith("file://") else value

# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One AWS server for these tests, emptied for every test; what an addition answers is held against botocore."""

from __future__ import annotations

import json
import typing as t

import botocore.session
import pytest
from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape
from botocore.validate import ParamValidator
from moto.core.responses import ActionResult
from testbed.aws import AwsServer
from testbed.aws.quotas import Quotas
from testbed.aws.server import reset
from testbed.aws.stacks import Stacks

Json = dict[str, t.Any]


def wrong_values(value: t.Any, shape: Shape) -> list[str]:
    """Values that the model's enumerations do not have."""
    if isinstance(shape, StructureShape):
        return [one for key, inner in value.items() for one in wrong_values(inner, shape.members[key])]
    if isinstance(shape, ListShape):
        return [one for inner in value for one in wrong_values(inner, shape.member)]
    if isinstance(shape, MapShape):
        return [one for inner in value.values() for one in wrong_values(inner, shape.value)]
    if isinstance(shape, StringShape) and shape.enum and value not in shape.enum:
        return [f"{shape.name}: {value}"]
    return []


def check_shape(service: str, operation: str, answer: Json) -> None:
    """Fail where an answer has a field, a type or a value that the service's model does not have."""
    shape = botocore.session.get_session().get_service_model(service).operation_model(operation).output_shape
    report = ParamValidator().validate(answer, shape)
    assert not report.has_errors(), f"{operation}: {report.generate_report()}"
    assert wrong_values(answer, shape) == []


@pytest.fixture(scope="session")
def _running() -> t.Iterator[AwsServer]:
    with AwsServer() as running:
        yield running


@pytest.fixture
def aws(_running: AwsServer, monkeypatch: pytest.MonkeyPatch) -> AwsServer:
    reset()
    monkeypatch.setattr(Stacks, "serialized", _checked(Stacks.serialized))
    quota = Quotas.get_service_quota

    def checked_quota(self: Quotas) -> str:
        text = quota(self)
        check_shape("service-quotas", "GetServiceQuota", json.loads(text))
        return text

    monkeypatch.setattr(Quotas, "get_service_quota", checked_quota)
    return _running


def _checked(serialize: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
    def serialized(self: Stacks, result: ActionResult) -> t.Any:
        answer = result.result
        if isinstance(answer, dict) and not _of_moto(answer):
            present = {key: value for key, value in answer.items() if value is not None}
            check_shape("cloudformation", self._get_action(), present)
        return serialize(self, result)

    return serialized


def _of_moto(answer: Json) -> bool:
    """moto's own answers hold its objects, which its serializer turns into the model's shape."""
    inner = [one for value in answer.values() for one in (value if isinstance(value, list) else [value])]
    return any(type(one).__module__.startswith("moto.") for one in inner)

# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a preflight is asked, what it found out, and how it says so."""

from __future__ import annotations

import dataclasses
import typing as t

Json = dict[str, t.Any]
OK, WARNING, FAILED = "ok", "warning", "failed"


@dataclasses.dataclass(frozen=True)
class Failure:
    """A question without an answer; code is the answerer's own word for it, text a sentence with what to do."""

    code: str
    text: str


@dataclasses.dataclass(frozen=True)
class Check:
    """One prerequisite: what was looked at, what came back, and what to do."""

    id: str
    subject: str
    found: str
    status: str
    remedy: str = ""


def unanswered(name: str, subject: str, failure: Failure) -> Check:
    """The verdict where the question failed; its own text says what to do."""
    return Check(name, subject, "no answer", FAILED, failure.text)


@dataclasses.dataclass(frozen=True)
class Prerequisites:
    """What the fleet needs; what is empty is not looked at. image is an id or the path of an SSM parameter."""

    region: str
    account: str = ""
    vpc_id: str = ""
    subnet_ids: tuple[str, ...] = ()
    endpoint_services: tuple[str, ...] = ()
    service_linked_roles: tuple[str, ...] = ()
    bucket: str = ""
    image: str = ""
    instance_types: tuple[str, ...] = ()
    max_instances: int = 0
    spot: bool = False
    gitlab_url: str = ""
    gitlab_scopes: tuple[str, ...] = ()
    registry: str = ""
    builders: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Facts:
    """What came back: AWS's answers in their own shape, or a Failure; None where nobody asked."""

    identity: t.Any = None
    subnets: t.Any = ()
    route_tables: t.Any = ()
    endpoints: t.Any = ()
    service_roles: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    bucket: t.Any = None
    image: t.Any = ()
    offerings: t.Any = ()
    types: t.Any = ()
    quota: t.Any = None
    gitlab: t.Any = None
    registry: t.Any = None
    builders: tuple[str, ...] = ()

    def zones(self) -> set[str]:
        """The zones that the subnets are in."""
        return set() if isinstance(self.subnets, Failure) else {one["AvailabilityZone"] for one in self.subnets}

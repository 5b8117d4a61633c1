# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CloudFormation works while nobody waits: a stack's events come one after another, at the pace that a test sets.

moto does everything in the call. Here the work is done at once too, but its events, and with them the stack's status,
are released when their time has come.
"""

from __future__ import annotations

import time
import typing as t

from moto.cloudformation.models import CloudFormationBackend, Event, Stack
from moto.core.utils import utcnow

from testbed.aws.steering import STEERING

OWN_TYPE = "AWS::CloudFormation::Stack"


class Timeline:
    """The events of one stack that are still to come."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self._due = time.monotonic()
        self._waiting: list[tuple[float, Event]] = []

    def own(self, status: str, reason: t.Optional[str] = None) -> None:
        """The stack itself gets a status."""
        self.add(self.stack.name, self.stack.stack_id, OWN_TYPE, status, reason)

    def add(self, logical_id: str, physical_id: str, kind: str, status: str, reason: t.Optional[str] = None) -> None:
        """A resource gets a status, one pace after the event before."""
        event = Event(self.stack.stack_id, self.stack.name, logical_id, physical_id, kind, status, reason, None)
        self._waiting.append((self._due, event))
        self._due += STEERING.pace

    def release(self) -> bool:
        """Let what is due happen; tells whether that was all."""
        now = time.monotonic()
        while self._waiting and self._waiting[0][0] <= now:
            event = self._waiting.pop(0)[1]
            event.timestamp = utcnow()
            self.stack.events.append(event)
            if event.resource_type == OWN_TYPE and event.physical_resource_id == self.stack.stack_id:
                self.stack.status = event.resource_status
        return not self._waiting

    def hurry(self) -> None:
        """Let all that is to come be due."""
        self._waiting = [(0.0, event) for _due, event in self._waiting]


_RUNNING: dict[str, Timeline] = {}


def start(stack: Stack) -> Timeline:
    """Begin an operation on a stack."""
    _RUNNING[stack.stack_id] = Timeline(stack)
    return _RUNNING[stack.stack_id]


def advance(backend: CloudFormationBackend) -> None:
    """Bring every stack to where it is by now; one whose deletion has ended is gone."""
    for stack_id, timeline in list(_RUNNING.items()):
        if stack_id in backend.stacks and timeline.release():
            del _RUNNING[stack_id]
            if timeline.stack.status == "DELETE_COMPLETE":
                backend.deleted_stacks[stack_id] = backend.stacks.pop(stack_id)


def hurry() -> None:
    """Let every operation end when somebody looks next."""
    for one in _RUNNING.values():
        one.hurry()


def forget() -> None:
    """Forget what runs, as when moto is reset."""
    _RUNNING.clear()

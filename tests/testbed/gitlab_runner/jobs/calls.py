# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls about one job: PATCH of its log, PUT of its state (observed facts 4)."""

from __future__ import annotations

import typing as t
import zlib

from ..api import Reply, Request, json_body
from ..config import Entry
from ..daemon.manager import Manager
from ..golang import Duration
from ..info import info
from ..traits import Trait
from .outcome import Outcome

RUNNING = Outcome("running")


class JobCalls:
    """Speaks for one job, with a connection that a stop of the program does not cut."""

    def __init__(self, manager: Manager, entry: Entry, job: t.Mapping[str, t.Any]) -> None:
        self._manager = manager
        self._entry = entry
        self._id = job["id"]
        self._token = job["token"]
        self._client = manager.network.client(entry)
        self._short = manager.short(entry)

    def _log(self, level: str, message: str, reply: t.Optional[Reply] = None, **fields: object) -> None:
        known: dict[str, object] = {"job": self._id, "runner": self._short}
        if reply is not None:
            known.update(
                {
                    "code": reply.status,
                    "job-status": reply.headers.get("job-status", ""),
                    "update-interval": Duration.seconds(update_interval(reply)),
                }
            )
        known.update({name.replace("_", "-"): value for name, value in fields.items()})
        self._manager.logger.log(level, message, known)

    def _counted(self, endpoint: str, reply: Reply) -> Reply:
        self._manager.count("api_request_statuses", endpoint, self._short, str(reply.status))
        return reply

    def patch(self, start: int, data: bytes) -> Reply:
        """Send a piece of the log."""
        span = f"{start}-{start + len(data) - 1}"
        reply = self._counted(
            "patch_trace",
            self._client.call(
                Request(
                    "PATCH",
                    f"jobs/{self._id}/trace?debug_trace=false",
                    data,
                    {"Content-Range": span, "Content-Type": "text/plain", "Job-Token": self._token},
                )
            ),
        )
        what = "Appending trace to coordinator..."
        if reply.status == 202:
            self._log(
                "info", f"{what}ok", reply, job_log=reply.headers.get("range", ""), sent_log=span, status=reply.reason
            )
        elif reply.status == 416:
            self._log("warning", f"{what} range mismatch", reply, sent_log=span, status=reply.text)
        elif reply.status in (403, 404):
            self._log("warning", f"{what} aborted", reply, sent_log=span, status=reply.text)
        else:
            self._log("warning", f"{what} failed", reply, sent_log=span, status=reply.text)
        return reply

    def put(self, outcome: Outcome, log: bytes) -> Reply:
        """Report a state, with what the log is so far."""
        traits = self._manager.app.traits
        checksum = f"crc32:{zlib.crc32(log):08x}"
        data: dict[str, t.Any] = {
            "info": info(self._manager.app.build, traits, self._entry),
            "token": self._token,
            "state": outcome.state,
        }
        if outcome.failure_reason:
            data["failure_reason"] = outcome.failure_reason
        data.update(checksum=checksum, output={"checksum": checksum, "bytesize": len(log)})
        if outcome.exit_code is not None:
            data["exit_code"] = outcome.exit_code
        header = "Private-Token" if traits.has(Trait.PRIVATE_TOKEN_HEADER) else "Job-Token"
        sums: dict[str, t.Any] = {"bytesize": len(log), "checksum": checksum}
        self._log("info", "Updating job...", **sums)
        reply = self._counted(
            "update_job",
            self._client.call(
                Request(
                    "PUT",
                    f"jobs/{self._id}",
                    json_body(data),
                    {"Content-Type": "application/json", header: self._token},
                )
            ),
        )
        what = "Submitting job to coordinator..."
        words = {
            200: "ok",
            202: "accepted, but not yet completed",
            403: " aborted",
            404: " aborted",
            412: " job trace mismatch",
        }
        word = words.get(reply.status, " failed")
        if reply.status in (200, 202):
            self._log("info", what + word, reply, **sums)
        else:
            self._log("warning", what + word, reply, status=reply.text, **sums)
        return reply


def update_interval(reply: Reply) -> int:
    """Return the seconds between pieces of the log that the server wishes; 0 = none said."""
    text = reply.headers.get("x-gitlab-trace-update-interval", "")
    return int(text) if text.isdigit() else 0

# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking for jobs: round robin over the entries, one every check_interval / n seconds (observed facts 4)."""

from __future__ import annotations

import threading
import time
import typing as t
import urllib.parse

from ..api import CLIENT_ERROR, Reply, Request, json_body
from ..config import Entry
from ..info import info
from ..keys import EXECUTORS
from ..network import ASKS_JSON
from ..traits import Trait
from .manager import Manager

Job = dict[str, t.Any]
PAUSES = (0.1, 0.1, 0.3, 1.5, 4.7, 10.0)  # between calls that a server refuses


def clean_url(url: str) -> str:
    """Return a URL without credentials."""
    parts = urllib.parse.urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urllib.parse.urlunsplit(parts._replace(netloc=host))


class Poller:
    """Feeds entries to workers; run_job does the work with what comes back."""

    def __init__(self, manager: Manager, run_job: t.Callable[[Entry, Job], object]) -> None:
        self._manager = manager
        self._run_job = run_job
        self._refusals: dict[str, int] = {}

    def loop(self) -> None:
        manager = self._manager
        while not manager.stopping.is_set():
            entries = manager.entries()
            if not entries:
                manager.stopping.wait(manager.check_interval())
            pause = manager.check_interval() / max(1, len(entries))
            for entry in entries:
                self._feed(entry)
                if manager.stopping.wait(pause):
                    return

    def _key(self, entry: Entry) -> str:
        return f"{entry.get('url', '')}{self._manager.short(entry)}"

    def _feed(self, entry: Entry, wait: bool = True) -> None:
        manager = self._manager
        if not manager.health.is_healthy(self._key(entry)):
            return
        if not entry.get("token", "").strip() and not manager.app.traits.has(Trait.EMPTY_TOKEN_POLLED):
            return
        if manager.workers.take(manager.stopping, wait):
            threading.Thread(target=self._work, args=(entry,), daemon=True).start()

    def _work(self, entry: Entry) -> None:
        """Be a worker for one entry: one request and, if it brings one, one job."""
        manager = self._manager
        try:
            manager.count("worker_feeds", manager.short(entry), entry.get("name", ""))
            if entry.get("executor", "") not in EXECUTORS:
                name = entry.get("executor", "")
                manager.logger.error(f'Executor "{name}" is not known; marking Runner as unhealthy')
                manager.health.bad(self._key(entry), entry)
                return
            snapshot = dict(entry)  # a job keeps its own copy, and a rotation must not change whose claim ends
            if manager.builds.claim(snapshot):
                self._claimed(entry, snapshot)
        finally:
            manager.workers.give_back()

    def _claimed(self, entry: Entry, snapshot: Entry) -> None:
        manager = self._manager
        try:
            try:
                job = self._request(entry)
            finally:
                manager.builds.end_request(snapshot)
            if job is not None:
                if not entry.get("strict_check_interval"):
                    self._feed(entry, wait=False)
                self._run_job(snapshot, job)
        finally:
            manager.builds.end_claim(snapshot)

    def _request(self, entry: Entry) -> t.Optional[Job]:
        manager, token = self._manager, entry.get("token", "")
        client = manager.client(entry)
        while time.monotonic() < client.not_before and not manager.stopping.is_set():
            manager.stopping.wait(min(0.2, max(0.0, client.not_before - time.monotonic())))
        if manager.stopping.is_set():
            return None
        data: Job = {
            "info": info(manager.app.build, manager.app.traits, entry),
            "token": token,
            "system_id": manager.system_id,
            "last_update": client.last_update,
        }
        body = json_body({key: value for key, value in data.items() if value})
        reply = client.call(
            Request("POST", "jobs/request", body, {**ASKS_JSON, **manager.network.runner_header(token)})
        )
        manager.count("api_request_statuses", "request_job", manager.short(entry), str(reply.status))
        if manager.stopping.is_set() and reply.status != 201:
            return None
        refused = reply.status >= 500
        self._refusals[token] = number = self._refusals.get(token, 0) + 1 if refused else 0
        if refused:
            client.not_before = time.monotonic() + PAUSES[min(number, len(PAUSES)) - 1]
        return self._judge(entry, reply)

    def _judge(self, entry: Entry, reply: Reply) -> t.Optional[Job]:
        """Log what came back; return the job if one did."""
        manager, key = self._manager, self._key(entry)
        fields: dict[str, object] = {"runner": manager.short(entry)}
        if reply.status in (403, CLIENT_ERROR):
            word = "forbidden" if reply.status == 403 else "client error"
            manager.logger.error(f"Checking for jobs... {word}", {**fields, "status": reply.text})
            manager.health.bad(key, entry)
            return None
        manager.health.good(key)
        job = reply.json()
        if reply.status == 201 and job:
            url = clean_url((job.get("git_info") or {}).get("repo_url", ""))
            manager.logger.info("Checking for jobs... received", {**fields, "job": job["id"], "repo_url": url})
            return job
        if reply.status != 204:
            manager.logger.warning("Checking for jobs... failed", {**fields, "status": reply.text})
        return None

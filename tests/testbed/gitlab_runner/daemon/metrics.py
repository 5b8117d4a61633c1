# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What /metrics and /debug/jobs/list show (observed facts 7)."""

from __future__ import annotations

import time
import typing as t

from ..golang import Duration
from ..traits import Trait
from .manager import Manager

Labels = t.Mapping[str, str]
Samples = list[tuple[Labels, float]]


class Duplicate(Exception):
    """Two samples have the same name and labels."""


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _sample(name: str, labels: Labels, value: float) -> str:
    inside = ",".join(f'{key}="{_escaped(labels[key])}"' for key in sorted(labels))
    number = int(value) if value == int(value) else value
    return f"{name}{{{inside}}} {number}\n" if inside else f"{name} {number}\n"


def _family(name: str, kind: str, about: str, samples: Samples) -> str:
    if not samples:
        return ""
    lines = sorted(_sample(name, labels, value) for labels, value in samples)
    for one, other in zip(lines, lines[1:]):
        if one.rpartition(" ")[0] == other.rpartition(" ")[0]:
            raise Duplicate(
                f'collected metric "{name}" {{{one.strip()}}} was collected before with the same name and label values'
            )
    return f"# HELP {name} {about}\n# TYPE {name} {kind}\n" + "".join(lines)


class Metrics:
    """Reads the manager when asked."""

    def __init__(self, manager: Manager) -> None:
        self._manager = manager
        self._started = time.time()

    def text(self) -> str:
        """Return all families, sorted by name; raises Duplicate."""
        families = {**self._process(), **self._entries(), **self._counters()}
        return "".join(_family(name, *families[name]) for name in sorted(families))

    def _process(self) -> dict[str, tuple[str, str, Samples]]:
        manager, build = self._manager, self._manager.app.build
        loaded = {
            name: sum(manager.counted(f"configuration_{name}").values())
            for name in ("loaded", "loading_error", "saved", "saving_error")
        }
        about = {
            "name": "gitlab-runner",
            "version": build.version,
            "revision": build.revision,
            "branch": build.branch,
            "go_version": build.go_version,
            "built_at": build.built.replace("Z", "+0000"),
            "os": "linux",
            "architecture": build.architecture,
        }
        levels: Samples = [
            ({"level": level}, manager.logger.counts[level]) for level in ("warning", "error", "fatal", "panic")
        ]
        found: dict[str, tuple[str, str, Samples]] = {
            f"gitlab_runner_configuration_{name}_total": (
                "counter",
                f"Total number of times the configuration file was {name}",
                [({}, number)],
            )
            for name, number in loaded.items()
        }
        found["gitlab_runner_concurrent"] = (
            "gauge",
            "The current value of concurrent setting",
            [({}, manager.config.number("concurrent"))],
        )
        found["gitlab_runner_errors_total"] = ("counter", "The number of caught errors.", levels)
        found["gitlab_runner_version_info"] = (
            "gauge",
            "A metric with a constant '1' value labeled by different build stats fields.",
            [(about, 1)],
        )
        found["process_start_time_seconds"] = (
            "gauge",
            "Start time of the process since unix epoch in seconds.",
            [({}, self._started)],
        )
        return found

    def _labels(self, short: str, name: str, named: bool = False) -> dict[str, str]:
        labels = {"runner": short, "system_id": self._manager.system_id}
        if named or self._manager.app.traits.has(Trait.RUNNER_NAME_LABEL):
            labels["runner_name"] = name
        return labels

    def _entries(self) -> dict[str, tuple[str, str, Samples]]:
        manager = self._manager
        jobs: Samples = []
        limits: Samples = []
        requests: dict[str, Samples] = {"": [], "_exceeded_total": []}
        if manager.app.traits.has(Trait.ADAPTIVE_CONCURRENCY):
            requests.update(_adaptive_limit=[], _hard_limit=[], _used_limit=[])
        for entry in manager.entries():
            labels = self._labels(manager.short(entry), entry.get("name", ""))
            idle = {"state": "idle", "stage": "idle", "executor_stage": "idle"}
            jobs.append(({**labels, **idle}, 0))
            limits.append((labels, entry.get("limit", 0)))
            under_way, most = manager.builds.requests(entry), int(entry.get("request_concurrency") or 1)
            values: dict[str, float] = {"": under_way, "_exceeded_total": 0}
            for name, samples in requests.items():
                samples.append((labels, values.get(name, most)))
        running: dict[tuple[str, ...], int] = {}
        for build in manager.builds.snapshot():
            key = (build.runner, build.entry.get("name", ""), build.state, build.stage, build.executor_stage)
            running[key] = running.get(key, 0) + 1
        for (short, name, state, stage, executor_stage), number in running.items():
            more = {"state": state, "stage": stage, "executor_stage": executor_stage}
            jobs.append(({**self._labels(short, name), **more}, number))
        found: dict[str, tuple[str, str, Samples]] = {
            f"gitlab_runner_request_concurrency{name}": ("gauge", "Requests for new jobs", samples)
            for name, samples in requests.items()
        }
        found["gitlab_runner_jobs"] = ("gauge", "The current number of running builds", jobs)
        found["gitlab_runner_limit"] = ("gauge", "The current value of limit setting", limits)
        return found

    def _counters(self) -> dict[str, tuple[str, str, Samples]]:
        manager = self._manager
        total: Samples = [
            (self._labels(short, name), number) for (short, name), number in manager.counted("jobs").items()
        ]
        failed: Samples = [
            ({"runner": short, "failure_reason": reason}, number)
            for (short, reason), number in manager.counted("failed_jobs").items()
        ]
        feeds: Samples = [
            (self._labels(short, name, named=True), number)
            for (short, name), number in manager.counted("worker_feeds").items()
        ]
        calls: Samples = [
            ({"endpoint": endpoint, "runner": short, "status": status, "system_id": manager.system_id}, number)
            for (endpoint, short, status), number in manager.counted("api_request_statuses").items()
        ]
        return {
            "gitlab_runner_jobs_total": ("counter", "Total number of handled jobs", total),
            "gitlab_runner_failed_jobs_total": ("counter", "Total number of failed jobs", failed),
            "gitlab_runner_worker_feeds_total": (
                "counter",
                "Total number of times that a runner is fed to a worker",
                feeds,
            ),
            "gitlab_runner_api_request_statuses_total": (
                "counter",
                "The total number of api requests, partitioned by runner, endpoint and status.",
                calls,
            ),
        }

    def jobs_list(self) -> str:
        lines = []
        for build in self._manager.builds.snapshot():
            duration = Duration.seconds(time.monotonic() - build.started)
            lines.append(
                f"url={build.url} state={build.state} stage={build.stage} "
                f"executor_stage={build.executor_stage} duration={duration}\n"
            )
        return "".join(lines)

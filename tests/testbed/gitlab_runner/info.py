# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The `info` object: what a runner says about itself (observed facts 4)."""

from __future__ import annotations

import typing as t

from .build import Build
from .keys import DOCKER_EXECUTORS
from .traits import Trait, Traits

# name: on; in the order in which they are sent
FEATURES: t.Mapping[str, bool] = {
    "variables": True,
    "image": False,
    "services": False,
    "artifacts": True,
    "cache": True,
    "fallback_cache_keys": True,
    "shared": True,
    "upload_multiple_artifacts": True,
    "upload_raw_artifacts": True,
    "session": True,
    "terminal": True,
    "refspecs": True,
    "masking": True,
    "proxy": False,
    "raw_variables": True,
    "artifacts_exclude": True,
    "multi_build_steps": True,
    "trace_reset": True,
    "trace_checksum": True,
    "trace_size": True,
    "vault_secrets": True,
    "cancelable": True,
    "return_exit_code": True,
    "service_variables": False,
    "service_multiple_aliases": False,
    "image_executor_opts": False,
    "service_executor_opts": False,
    "cancel_gracefully": True,
    "native_steps_integration": False,
}
CONTAINER_FEATURES = (
    "image",
    "services",
    "service_variables",
    "service_multiple_aliases",
    "image_executor_opts",
    "service_executor_opts",
)


def features(executor: str, traits: Traits) -> dict[str, bool]:
    known = dict(FEATURES)
    if not traits.has(Trait.STEPS_FEATURE):
        del known["native_steps_integration"]
    if executor in (*DOCKER_EXECUTORS, "kubernetes"):
        known.update(dict.fromkeys(CONTAINER_FEATURES, True))
    if executor == "custom":
        known.update(session=False, terminal=False)
    return known


def info(build: Build, traits: Traits, entry: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    executor = entry.get("executor", "")
    data: dict[str, t.Any] = {
        "name": "gitlab-runner",
        "version": build.version,
        "revision": build.revision,
        "platform": "linux",
        "architecture": build.architecture,
        "executor": executor,
        "shell": entry.get("shell") or "bash",
        "features": features(executor, traits),
        "config": {"gpus": (entry.get("docker") or {}).get("gpus", "")},
    }
    if traits.has(Trait.INFO_LABELS):
        data["labels"] = dict(entry.get("labels", {}))
    return data

# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bash scripts of a job's stages."""

from __future__ import annotations

import shlex
import typing as t
from dataclasses import dataclass

Variable = t.Mapping[str, t.Any]
GREEN, RESET = "\033[32;1m", "\033[0;m"


@dataclass(frozen=True)
class Stage:
    """One stage: what the job log calls it, and its commands."""

    name: str
    title: str
    commands: tuple[str, ...]
    in_directory: bool = True


@dataclass(frozen=True)
class Place:
    """Where a job works."""

    builds_dir: str
    project_dir: str


def _echoed(command: str) -> str:
    first, newline, _unused = command.partition("\n")
    shown = first + (" # collapsed multi-line command" if newline else "")
    return f"printf '%s\\n' {shlex.quote(f'{GREEN}$ {shown}{RESET}')}\n{command}"


def _say(text: str) -> str:
    return f"printf '%s\\n' {shlex.quote(GREEN + text + RESET)}"


def _exports(variables: t.Sequence[Variable], place: Place) -> list[str]:
    lines = []
    folder = place.project_dir + ".tmp"
    for variable in variables:
        key, value = variable["key"], shlex.quote(str(variable.get("value", "")))
        if variable.get("file"):
            path = shlex.quote(f"{folder}/{key}")
            lines += [f"mkdir -p {shlex.quote(folder)}", f"printf %s {value} > {path}", f"export {key}={path}"]
        else:
            lines.append(f"export {key}={value}")
    return lines


def whole(stage: Stage, variables: t.Sequence[Variable], place: Place) -> str:
    """Return the script of a stage; commands cannot eat it, for their stdin is empty."""
    body = _exports(variables, place)
    if stage.in_directory:
        body += [f"mkdir -p {shlex.quote(place.project_dir)}", f"cd {shlex.quote(place.project_dir)}"]
    body += stage.commands
    return f"set -eo pipefail\nset +o noclobber\n: | eval {shlex.quote(chr(10).join(body))}\nexit 0\n"


def _sources(job: t.Mapping[str, t.Any], strategy: str) -> tuple[str, ...]:
    if strategy == "none":
        return tuple(_say(f"Skipping Git {what}") for what in ("repository setup", "checkout", "submodules setup"))
    git = job.get("git_info", {})
    depth = f"--depth {int(git['depth'])} " if git.get("depth") else ""
    refs = " ".join(shlex.quote(ref) for ref in git.get("refspecs", []))
    return (
        "git init -q .",
        _say("Fetching changes..."),
        f"git fetch -q {depth}{shlex.quote(git.get('repo_url', ''))} {refs}",
        f"git checkout -q -f {shlex.quote(git.get('sha', ''))}",
    )


def prepare(variables: t.Mapping[str, str], job: t.Mapping[str, t.Any]) -> tuple[Stage, Stage]:
    """Return the stages before the job's own."""
    return (
        Stage("prepare_script", "Preparing environment", ('echo "Running on $(hostname)..."',), in_directory=False),
        Stage(
            "get_sources", "Getting source from Git repository", _sources(job, variables.get("GIT_STRATEGY", "fetch"))
        ),
    )


def steps(job: t.Mapping[str, t.Any], entry: t.Mapping[str, t.Any]) -> tuple[list[Stage], t.Optional[Stage]]:
    """Return the job's own stages, and the one that runs after them whatever happened."""
    own: list[Stage] = []
    after = None
    for step in job.get("steps", []):
        commands = tuple(_echoed(command) for command in step.get("script") or ())
        if step["name"] == "after_script":
            after = Stage("after_script", "Running after_script", commands)
            continue
        hooks = [entry.get(name, "") for name in ("pre_build_script", "post_build_script")]
        commands = tuple(part for part in (hooks[0], *commands, hooks[1]) if part)
        name = "step_script" if step["name"] == "script" else f"step_{step['name']}"
        own.append(Stage(name, f'Executing "{name}" stage of the job script', commands))
    return own, after


def cleanup(place: Place) -> Stage:
    return Stage(
        "cleanup_file_variables",
        "Cleaning up project directory and file based variables",
        (f"rm -rf {shlex.quote(place.project_dir + '.tmp')}",),
        in_directory=False,
    )

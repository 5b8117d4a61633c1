# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows for users, groups and projects, and for what belongs to each project."""

from __future__ import annotations

import hashlib
import typing as t
from dataclasses import dataclass

from .. import database
from ..encryption import encrypt

Row = tuple[t.Any, ...]


@dataclass(frozen=True)
class Project:
    """A project that was added; hashed is its place below any storage of files."""

    number: int
    path: str

    @property
    def hashed(self) -> str:
        digest = hashlib.sha256(str(self.number).encode()).hexdigest()
        return f"@hashed/{digest[:2]}/{digest[2:4]}/{digest}"


class Loader:
    """Adds rows in one transaction of the caller."""

    def __init__(self, db: database.Database, key: str) -> None:
        self._db = db
        self._key = key
        self._now = database.stamp()

    def _secret(self, *words: t.Any) -> str:
        return encrypt(self._key, hashlib.sha256(repr(words).encode()).hexdigest()[:20])

    def _add(self, table: str, columns: str, rows: t.Iterable[Row], *, timed: bool = True) -> list[int]:
        """Insert rows and return their ids."""
        names = columns + (", created_at, updated_at" if timed else "")
        stamps: Row = (self._now, self._now) if timed else ()
        marks = ", ".join("?" * len(names.split(",")))
        values = [(*row, *stamps) for row in rows]
        self._db.raw.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", values)
        last = self.last(table)
        return list(range(last - len(values) + 1, last + 1))

    def last(self, table: str) -> int:
        return int(self._db.value("SELECT seq FROM sqlite_sequence WHERE name = ?", table) or 0)

    def users(self, count: int) -> list[int]:
        """Add users with keys and tokens."""
        start = self.last("users") + 1
        rows = [
            (f"user{n}", f"User {n}", f"user{n}@example.com", self._secret("otp", n))
            for n in range(start, start + count)
        ]
        ids = self._add("users", "username, name, email, encrypted_otp_secret", rows)
        self._add("emails", "user_id, email", [(n, f"user{n}@example.com") for n in ids])
        keys = [(n, "laptop", f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{self._secret('key', n)} user{n}") for n in ids]
        self._add("keys", "user_id, title, key", keys)
        tokens = [(n, "api", self._secret("pat", n), "[api]") for n in ids]
        self._add("personal_access_tokens", "user_id, name, token_digest, scopes", tokens)
        return ids

    def groups(self, count: int) -> list[int]:
        start = self.last("namespaces") + 1
        names = [f"group{n}" for n in range(start, start + count)]
        ids = self._add("namespaces", "name, path, type", [(name, name, "Group") for name in names])
        rows = [(n, "Namespace", name, name) for n, name in zip(ids, names)]
        self._add("routes", "source_id, source_type, path, name", rows)
        return ids

    def projects(self, count: int, groups: t.Sequence[int], users: t.Sequence[int]) -> list[Project]:
        """Add projects with routes, storages and members."""
        start = self.last("projects") + 1
        rows = [
            (f"Project {n}", f"project{n}", groups[n % len(groups)], users[n % len(users)], self._secret("project", n))
            for n in range(start, start + count)
        ]
        ids = self._add("projects", "name, path, namespace_id, creator_id, runners_token_encrypted", rows)
        paths = dict(self._db.all("SELECT id, path FROM namespaces"))
        made = [Project(n, f"{paths[row[2]]}/{row[1]}") for n, row in zip(ids, rows)]
        routes = [(p.number, "Project", p.path, p.path) for p in made]
        self._add("routes", "source_id, source_type, path, name", routes)
        storages = [(p.number, p.hashed) for p in made]
        self._add("project_repositories", "project_id, disk_path", storages, timed=False)
        members = [(users[(n + k) % len(users)], n, "Project", 30, "ProjectMember") for n in ids for k in range(2)]
        self._add("members", "user_id, source_id, source_type, access_level, type", members)
        return made

    def work(self, projects: t.Sequence[Project], users: t.Sequence[int]) -> None:
        """Add issues, merge requests, notes and what hangs on them."""
        ids = [project.number for project in projects]

        def author(n: int) -> int:
            return users[n % len(users)]

        issues = self._add(
            "issues",
            "title, description, project_id, author_id, iid",
            [(f"Issue {k}", f"What happens in {n}", n, author(n + k), k + 1) for n in ids for k in range(8)],
        )
        merges = self._add(
            "merge_requests",
            "title, target_project_id, source_project_id, author_id, iid, source_branch, target_branch",
            [(f"Change {k}", n, n, author(n + k), k + 1, f"feature-{k}", "main") for n in ids for k in range(4)],
        )
        self._add("merge_request_diffs", "merge_request_id, state", [(n, "collected") for n in merges])
        notes = [(f"Note {k}", "Issue", issue, author(issue + k)) for issue in issues for k in range(3)]
        self._add("notes", "note, noteable_type, noteable_id, author_id", notes)
        events = [(n, author(k), k % 5 + 1, k, "Issue") for n in ids for k in range(10)]
        self._add("events", "project_id, author_id, action, target_id, target_type", events)
        labels = self._add("labels", "title, color, project_id", [("bug", "#f00", n) for n in ids])
        self._add("label_links", "label_id, target_id, target_type", [(n, n, "Issue") for n in labels])
        self._add("milestones", "title, project_id, iid", [("1.0", n, 1) for n in ids])
        self._add("releases", "tag, project_id", [("v1.0", n) for n in ids])
        self._add("protected_branches", "project_id, name", [(n, "main") for n in ids])

    def ci(self, projects: t.Sequence[Project]) -> None:
        """Add runners, pipelines, jobs and variables."""
        ids = [project.number for project in projects]
        rows = [(self._secret("runner", n), f"runner of {n}", 3) for n in ids[::5]]
        runners = self._add("ci_runners", "token_encrypted, description, runner_type", rows)
        machines = [(n, f"s_{n:012x}", "18.8.0", "linux", "amd64") for n in runners]
        self._add("ci_runner_machines", "runner_id, system_xid, version, platform, architecture", machines)
        pipelines = [
            (n, "main", hashlib.sha1(f"{n}{k}".encode()).hexdigest(), "success") for n in ids for k in range(5)
        ]
        made = self._add("p_ci_pipelines", "project_id, ref, sha, status", pipelines)
        owners = [row[0] for row in pipelines]
        stages = self._add(
            "p_ci_stages", "project_id, pipeline_id, name", [(o, n, "test") for o, n in zip(owners, made)]
        )
        jobs = [
            (owner, pipeline, stage, name, "success", self._secret("job", pipeline, name))
            for owner, pipeline, stage in zip(owners, made, stages)
            for name in ("build", "rspec")
        ]
        columns = "project_id, commit_id, stage_id, name, status, token_encrypted"
        numbers = self._add("p_ci_builds", columns, jobs)
        artifacts = [(job[0], number, 1, 1000, "artifacts.zip") for job, number in zip(jobs, numbers)]
        self._add("p_ci_job_artifacts", "project_id, job_id, file_type, size, file", artifacts)
        variables = [(n, "PASSWORD", self._secret("variable", n)) for n in ids]
        self._add("ci_variables", "project_id, key, encrypted_value", variables, timed=False)
        hooks = [(n, "ProjectHook", self._secret("hook", n), self._secret("hook token", n)) for n in ids]
        self._add("web_hooks", "project_id, type, encrypted_url, encrypted_token", hooks)

    def stored(self, projects: t.Sequence[Project], files: t.Mapping[str, list[tuple[Project, str, bytes]]]) -> None:
        """Add the rows of what lies in files."""

        def rows(name: str, row: t.Callable[[Project, str, bytes], Row]) -> list[Row]:
            return [row(*entry) for entry in files.get(name, ())]

        def digest(data: bytes) -> str:
            return hashlib.sha256(data).hexdigest()

        uploads = rows("uploads", lambda p, path, data: (len(data), path, digest(data), p.number, "Project"))
        self._add("uploads", "size, path, checksum, model_id, model_type", uploads, timed=False)
        lfs = self._add("lfs_objects", "oid, size, file", rows("lfs", lambda _p, path, d: (digest(d), len(d), path)))
        owners = [(n, entry[0].number) for n, entry in zip(lfs, files.get("lfs", ()))]
        self._add("lfs_objects_projects", "lfs_object_id, project_id", owners)
        packages = rows("packages", lambda p, _path, _data: (p.number, "library", "1.0.0", 1))
        made = self._add("packages_packages", "project_id, name, version, package_type", packages)
        held = [(n, len(e[2]), e[1], digest(e[2])) for n, e in zip(made, files.get("packages", ()))]
        self._add("packages_package_files", "package_id, size, file_name, file_sha256", held)
        states = rows("terraform_state", lambda p, path, _data: (p.number, "production", path))
        self._add("terraform_states", "project_id, name, uuid", states)
        secure = rows("ci_secure_files", lambda p, path, data: (p.number, "keystore", path, digest(data)))
        self._add("ci_secure_files", "project_id, name, file, checksum", secure)
        pages = rows("pages", lambda p, path, data: (p.number, len(data), path, 1))
        self._add("pages_deployments", "project_id, size, file, file_count", pages)

# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a GitLab server holds, in a form that lets two moments be compared. Standard library of Python 3.9.

Count and greatest id of each main table, one digest of refs a repository, checksums of gitlab-secrets.json: no content,
and no secret.
"""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import json
import pathlib
import re
import time
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _git_refs, _gitlab_psql, _host_command

FORMAT = 1
PARTS = ("database", "repositories", "secrets")
DATABASE_SECONDS = 1800
REPOSITORIES_SECONDS = 1800
GITALY_CONFIG = "/var/opt/gitlab/gitaly/config.toml"
DEFAULT_STORAGES = {"default": "/var/opt/gitlab/git-data/repositories"}
SECRETS = "/etc/gitlab/gitlab-secrets.json"

# Of GitLab's db/structure.sql what people would miss; what a version lacks is left out.
TABLES = (
    "application_settings",
    "award_emoji",
    "ci_builds",
    "ci_group_variables",
    "ci_job_artifacts",
    "ci_pipeline_schedules",
    "ci_pipelines",
    "ci_runners",
    "ci_secure_files",
    "ci_triggers",
    "ci_variables",
    "container_repositories",
    "deploy_tokens",
    "deployments",
    "environments",
    "events",
    "issues",
    "keys",
    "label_links",
    "labels",
    "lfs_objects",
    "lfs_objects_projects",
    "members",
    "merge_request_diffs",
    "merge_requests",
    "milestones",
    "namespaces",
    "notes",
    "packages_package_files",
    "packages_packages",
    "pages_deployments",
    "personal_access_tokens",
    "projects",
    "protected_branches",
    "releases",
    "routes",
    "snippets",
    "terraform_state_versions",
    "terraform_states",
    "todos",
    "uploads",
    "users",
    "web_hooks",
)
# Each became a partition of a table p_... (16.10 to 17.4, db/docs/p_*.yml); that one then holds all of its rows.
PARTITIONED = ("ci_builds", "ci_job_artifacts", "ci_pipelines")


@dataclasses.dataclass(frozen=True)
class Rows:
    """How many rows a table has and the greatest id; max_id is None in an empty table."""

    count: int
    max_id: int | None


@dataclasses.dataclass(frozen=True)
class Fingerprint:
    """What was found at one moment.

    tables by GitLab's name, repositories (`default/@hashed/...`) with their digests, secrets by the name of the key
    (`gitlab_rails.db_key_base`) with a checksum that can be computed only by who has the file. unread says, by part,
    why a part could not be read; a part that nobody asked for is None, as is one that could not be read.
    """

    tables: t.Mapping[str, Rows] | None = None
    repositories: t.Mapping[str, str] | None = None
    secrets: t.Mapping[str, str] | None = None
    unread: t.Mapping[str, str] = dataclasses.field(default_factory=dict)

    def as_dict(self) -> dict[str, t.Any]:
        """What JSON can hold."""
        return {"format": FORMAT, **dataclasses.asdict(self)}

    @classmethod
    def from_dict(cls, data: t.Mapping[str, t.Any]) -> Fingerprint:
        """Read it back. Raises ValueError for another format."""
        if data.get("format") != FORMAT:
            raise ValueError(f"a fingerprint of format {data.get('format')!r}, where {FORMAT} is known")
        tables = data["tables"]
        rows = None if tables is None else {name: Rows(**row) for name, row in tables.items()}
        return cls(rows, data["repositories"], data["secrets"], data["unread"])


@dataclasses.dataclass(frozen=True)
class Places:
    """Where the parts are; other than the defaults only in tests."""

    gitaly_config: str = GITALY_CONFIG
    secrets: str = SECRETS


def take(run: _host_command.Run, parts: t.Collection[str] = PARTS, places: Places | None = None) -> Fingerprint:
    """Take the fingerprint of this host, as root: PostgreSQL must run, nothing else need.

    Never raises for what can't be read: unread says it, so that the rest can still be compared.
    """
    places = places or Places()
    readers: dict[str, tuple[str, t.Callable[[], t.Any]]] = {
        "database": ("tables", lambda: tables(run)),
        "repositories": ("repositories", lambda: repositories(run, places.gitaly_config)),
        "secrets": ("secrets", lambda: secrets(places.secrets)),
    }
    found: dict[str, t.Any] = {}
    unread: dict[str, str] = {}
    for part in parts:
        name, read = readers[part]
        try:
            found[name] = read()
        except (_gitlab_psql.DatabaseError, _git_refs.RefsError, OSError, ValueError) as exc:
            unread[part] = str(exc)
    return Fingerprint(**found, unread=unread)


def tables_sql() -> list[str]:
    """Statements of one call: which of the tables there are, and then each of those counted."""
    names = _quoted([*TABLES, *(f"p_{name}" for name in PARTITIONED)])
    return [
        "SELECT 'SELECT ''table'', ''' || found.table_name || ''', count(*), max(id) FROM ' || found.table_name"
        " FROM information_schema.columns AS found"
        f" WHERE found.table_schema = 'public' AND found.column_name = 'id' AND found.table_name IN ({names})"
        f" AND NOT (found.table_name IN ({_quoted(PARTITIONED)}) AND EXISTS ("
        "SELECT 1 FROM information_schema.columns AS whole"
        " WHERE whole.table_schema = 'public' AND whole.table_name = 'p_' || found.table_name))"
        " ORDER BY found.table_name \\gexec"
    ]


def _quoted(names: t.Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def tables_found(rows: t.Iterable[t.Sequence[str]]) -> dict[str, Rows]:
    """What the answer of tables_sql means, by the older of a table's names.

    Raises ValueError where GitLab has no table there.
    """
    counted = {row[1]: Rows(int(row[2]), int(row[3]) if row[3] else None) for row in rows if row[0] == "table"}
    if not counted:
        raise ValueError("the database has none of GitLab's tables")
    return {name: counted.get(f"p_{name}") or counted[name] for name in TABLES if {name, f"p_{name}"} & counted.keys()}


def tables(run: _host_command.Run) -> dict[str, Rows]:
    """Count the main tables, in one call of gitlab-psql."""
    return tables_found(_gitlab_psql.rows(run, tables_sql(), timeout=DATABASE_SECONDS))


def repositories(run: _host_command.Run, gitaly_config: str = GITALY_CONFIG) -> dict[str, str]:
    """The digests of all repositories of all storages, sorted by path."""
    until = time.monotonic() + REPOSITORIES_SECONDS
    found = (
        (f"{storage}/{path}", digest)
        for storage, root in storages(gitaly_config).items()
        for path, digest in _git_refs.digests(root, run, until=until)
    )
    return dict(sorted(found))


def storages(gitaly_config: str) -> dict[str, str]:
    """Gitaly's storages and their paths; the package's default where there is no configuration yet."""
    try:
        text = pathlib.Path(gitaly_config).read_text("utf-8")
    except FileNotFoundError:
        return dict(DEFAULT_STORAGES)
    found = {}
    for table in re.split(r"^\s*\[", text, flags=re.MULTILINE):
        keys = dict(re.findall(r"""^\s*(name|path)\s*=\s*["']([^"']+)["']""", table, re.MULTILINE))
        if table.startswith("[storage]") and "name" in keys and "path" in keys:
            found[keys["name"]] = keys["path"]
    return found or dict(DEFAULT_STORAGES)


def secrets(path: str = SECRETS) -> dict[str, str]:
    """A checksum for each key of gitlab-secrets.json.

    They are keyed with db_key_base, which is long and random, so that nobody can find a short secret by trying; when
    that one is lost, all of them differ.
    """
    flat = dict(_flat(json.loads(pathlib.Path(path).read_bytes()), ""))
    key = hashlib.sha256(json.dumps(flat.get("gitlab_rails.db_key_base", flat), sort_keys=True).encode()).digest()
    return {
        name: hmac.new(key, json.dumps(value, sort_keys=True).encode(), hashlib.sha256).hexdigest()[:32]
        for name, value in sorted(flat.items())
    }


def _flat(data: t.Any, prefix: str) -> t.Iterator[tuple[str, t.Any]]:
    if not isinstance(data, dict):
        yield prefix, data
        return
    for name, value in data.items():
        yield from _flat(value, f"{prefix}.{name}" if prefix else name)


@dataclasses.dataclass(frozen=True)
class Difference:
    """One entry that is not the same; before and after say what it was, None where it was not."""

    part: str
    name: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        return f"{self.part} {self.name}: {self.before or 'nothing'} before, {self.after or 'nothing'} now"


def differences(before: Fingerprint, after: Fingerprint) -> list[Difference]:
    """What differs in the parts that both have; a part that only before has is one difference.

    A repository without refs and one that is not there are the same, because GitLab's backup
    leaves such repositories out.
    """
    found: list[Difference] = []
    for part, old, new in zip(PARTS, _texts(before), _texts(after)):
        if old is None:
            continue
        if new is None:
            found.append(Difference(part, "all", "read", after.unread.get(part, "not read")))
            continue
        names = sorted(old.keys() | new.keys())
        found += [
            Difference(part, name, old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name)
        ]
    return found


def _texts(found: Fingerprint) -> tuple[dict[str, str] | None, ...]:
    """Each part's entries as text, in the order of PARTS."""
    counted = None
    if found.tables is not None:
        counted = {name: f"{row.count} rows, greatest id {row.max_id}" for name, row in found.tables.items()}
    there = None
    if found.repositories is not None:
        there = {path: digest for path, digest in found.repositories.items() if digest != _git_refs.EMPTY}
    return counted, there, None if found.secrets is None else dict(found.secrets)

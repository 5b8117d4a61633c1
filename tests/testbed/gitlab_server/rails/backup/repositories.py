# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The repositories part: what gitaly-backup does, with git itself.

For each repository a bundle and its refs for each backup in a chain, and a manifest that lists them:
repositories/@hashed/aa/bb/<hash>.git/<full backup id>/001.bundle, .../001.refs, and
repositories/manifests/default/@hashed/aa/bb/<hash>.git/<backup id>.toml.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ..context import Context
from ..errors import Abort
from .options import Options
from .progress import Progress

STORAGE = "default"


class GitalyFailed(Exception):
    """gitaly-backup ended badly."""


def _git(*words: str, text: t.Optional[str] = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", *words], input=text, capture_output=True, text=True, check=False)


def wanted(ctx: Context, options: Options) -> list[str]:
    """Return the relative paths of the repositories that the database knows of and the options ask for."""
    if options.storages and STORAGE not in options.storages:
        return []
    db = ctx.database()
    query = (
        "SELECT d.disk_path, r.path FROM project_repositories d "
        "LEFT JOIN routes r ON r.source_id = d.project_id AND r.source_type = 'Project'"
    )
    found = [(disk, path or "") for disk, path in db.all(query)]
    found += [(f"{disk}.wiki", path) for disk, path in found]
    if not options.paths:
        found += [(disk, "") for (disk,) in db.all("SELECT disk_path FROM snippet_repositories")]
    return [f"{disk}.git" for disk, path in found if _asked_for(path, options)]


def _asked_for(path: str, options: Options) -> bool:
    def inside(paths: tuple[str, ...]) -> bool:
        return any(path == one or path.startswith(one + "/") for one in paths)

    return (not options.paths or inside(options.paths)) and not inside(options.skip_paths)


@dataclass(frozen=True)
class Step:
    """One backup of a repository's chain, both paths below repositories/."""

    bundle: str
    refs: str


def _read_chain(manifest: Path) -> list[Step]:
    text = manifest.read_text(encoding="utf-8")
    return [Step(*pair) for pair in re.findall(r"bundle_path = '(.*)'\nref_path = '(.*)'", text)]


def _write_chain(folder: Path, backup_id: str, head: str, steps: t.Iterable[Step]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["object_format = 'sha1'", f"head_reference = '{head}'"]
    for step in steps:
        lines += ["", "[[steps]]", f"bundle_path = '{step.bundle}'", f"ref_path = '{step.refs}'"]
    text = "\n".join([*lines, ""])
    for name in (f"{backup_id}.toml", "+latest.toml"):
        (folder / name).write_text(text, encoding="utf-8")


@dataclass(frozen=True)
class Store:
    """The folder repositories/ of one backup."""

    folder: Path
    backup_id: str
    full_id: str

    def manifests(self, relative: str) -> Path:
        return self.folder / "manifests" / STORAGE / relative

    def dump(self, repository: Path, relative: str) -> None:
        """Store one repository; raises GitalyFailed."""
        listed = _git("-C", str(repository), "show-ref")
        head = _git("-C", str(repository), "symbolic-ref", "HEAD")
        if listed.returncode > 1 or head.returncode:
            raise GitalyFailed(f"{relative}: {(listed.stderr or head.stderr).strip()}")
        latest = self.manifests(relative) / "+latest.toml"
        chain = _read_chain(latest) if latest.exists() and self.backup_id != self.full_id else []
        place = f"{relative}/{self.full_id}/{len(chain) + 1:03d}"
        step = Step(f"{place}.bundle", f"{place}.refs")
        if listed.stdout:
            (self.folder / step.refs).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / step.refs).write_text(listed.stdout, encoding="utf-8")
            self._bundle(repository, relative, step, chain)
            chain = [*chain, step]
        _write_chain(self.manifests(relative), self.backup_id, head.stdout.strip(), chain)

    def _bundle(self, repository: Path, relative: str, step: Step, chain: list[Step]) -> None:
        known = set()
        if chain:
            known = {line.split()[0] for line in (self.folder / chain[-1].refs).read_text().splitlines()}
        words = ["-C", str(repository), "bundle", "create", "-q", str(self.folder / step.bundle), "--all", "--stdin"]
        done = _git(*words, text="".join(f"^{sha}\n" for sha in sorted(known)))
        if done.returncode and "empty bundle" not in done.stderr:
            raise GitalyFailed(f"{relative}: {done.stderr.strip()}")

    def restore(self, repository: Path, manifest: Path) -> None:
        """Put one repository back; raises GitalyFailed."""
        made = _git("init", "-q", "--bare", "--template=", str(repository))
        chain = _read_chain(manifest)
        for step in chain:
            bundle = self.folder / step.bundle
            if bundle.exists() and not made.returncode:
                made = _git("-C", str(repository), "bundle", "unbundle", str(bundle))
        if made.returncode:
            raise GitalyFailed(f"{repository}: {made.stderr.strip()}")
        if chain:
            refs = (self.folder / chain[-1].refs).read_text(encoding="utf-8")
            (repository / "packed-refs").write_text(f"# pack-refs with: sorted \n{refs}", encoding="utf-8")
        head = re.findall(r"head_reference = '(.*)'", manifest.read_text(encoding="utf-8"))
        (repository / "HEAD").write_text(f"ref: {head[0]}\n", encoding="ascii")


def _each(work: t.Callable[[str], None], items: t.Sequence[str], options: Options) -> None:
    """Do the work for all, in parallel as gitaly-backup does; raises Abort when one fails."""
    with ThreadPoolExecutor(max(1, options.concurrency)) as pool:
        failures = [str(exc) for exc in pool.map(lambda item: _caught(work, item), items) if exc]
    if failures:
        text = f"pipeline: {len(failures)} failures encountered:\n - {failures[0]}"
        raise GitalyFailed(text)


def _caught(work: t.Callable[[str], None], item: str) -> t.Optional[Exception]:
    try:
        work(item)
    except (GitalyFailed, OSError) as exc:
        return exc
    return None


def _gitaly(command: str, progress: Progress, work: t.Callable[[], None]) -> None:
    """Run what gitaly-backup does; its failure ends the whole run."""
    try:
        if progress.fault("backup-part" if command == "create" else "restore-part", "repositories"):
            raise GitalyFailed("pipeline: 1 failures encountered:\n - @hashed: rpc error: code = Internal")
        work()
    except GitalyFailed as exc:
        entry = {"level": "fatal", "msg": f"{command}: {exc}", "pid": 0, "time": f"{_utc()}.000Z"}
        progress.plain(json.dumps(entry, separators=(",", ":")))
        raise Abort("Backup::Error", "gitaly-backup exit status 1") from exc


def _utc() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())


def _told(progress: Progress, command: str, relative: str, level: str = "info", what: str = "completed") -> None:
    entry = {"command": command, "level": level, "msg": f"{what} {command}", "relative_path": relative}
    entry.update(storage_name=STORAGE, time=f"{_utc()}.000Z")
    progress.plain(json.dumps(entry, separators=(",", ":")))


def dump(ctx: Context, store: Store, options: Options, progress: Progress) -> None:
    """Store all repositories. Raises Abort."""

    def one(relative: str) -> None:
        repository = ctx.config.repositories / relative
        if repository.is_dir():
            store.dump(repository, relative)
            _told(progress, "create", relative)
        elif not relative.endswith(".wiki.git"):
            _told(progress, "create", relative, "warning", "skipped")

    if not options.server_side:
        _gitaly("create", progress, lambda: _each(one, wanted(ctx, options), options))


def restore(ctx: Context, store: Store, options: Options, progress: Progress) -> None:
    """Remove all repositories, and put back what the backup has. Raises Abort."""
    root = store.folder / "manifests" / STORAGE
    latest = {path.parent: path for path in sorted(root.rglob(f"{store.backup_id}.toml"))}

    def one(relative: str) -> None:
        store.restore(ctx.config.repositories / relative, latest[root / relative])
        _told(progress, "restore", relative)

    def work() -> None:
        ctx.config.repositories.mkdir(parents=True, exist_ok=True)
        for path in ctx.config.repositories.iterdir():
            if path.name.startswith("@"):
                shutil.rmtree(path)
        _each(one, [str(folder.relative_to(root)) for folder in latest], options)

    _gitaly("restore", progress, work)

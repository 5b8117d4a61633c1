# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A GitLab of a few files, whose commands do what a test tells them to."""

from __future__ import annotations

import dataclasses
import gzip
import io
import pathlib
import tarfile
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _backup_make
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_request import Places, Request
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_result import Recorder
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_set import Manifest
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_steps import Host
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._host_command import Completed

VERSION = "18.11.4"
NOW = 1795504809.0
PARTS = {"database": "db", "repositories": "repositories", "uploads": "uploads", "lfs objects": "lfs"}
ANSWERS = {"rpm": "gitlab-ce-18.11.4-ce.0.el9"}


class Killed(BaseException):
    """The process ends here and now."""


@dataclasses.dataclass
class Gitlab:
    """What its commands do. says are more lines of the rake task, rc its status, lost a part missing in the archive.

    folders: the archive has those of its parts as members of their own, as GitLab's have.
    """

    folder: pathlib.Path
    rc: int = 0
    says: tuple[str, ...] = ()
    lost: str = ""
    folders: bool = True
    damage: t.Callable[[bytes], bytes] = lambda content: content
    during: t.Callable[[], None] = lambda: None
    config_rc: int = 0
    config_stderr: str = ""
    now: float = NOW
    calls: list[list[str]] = dataclasses.field(default_factory=list)

    def __post_init__(self) -> None:
        for name in ("etc/config_backup", "backups", "rails"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "rails" / "VERSION").write_text(f"{VERSION}\n")
        (self.folder / "rails" / "rc").touch()
        (self.folder / "etc" / "gitlab-secrets.json").write_text('{"gitlab_rails": {"db_key_base": "x"}}')

    @property
    def places(self) -> Places:
        at = str(self.folder / "rails")
        return Places(
            version=f"{at}/VERSION",
            pid_file=f"{at}/pid",
            rails_rc=f"{at}/rc",
            connection_env=f"{at}/env",
            secrets=str(self.folder / "etc" / "gitlab-secrets.json"),
            rake="gitlab-rake",
            ctl="gitlab-ctl",
            data=str(self.folder / "data"),
            gitlab_yml=f"{at}/gitlab.yml",
        )

    @property
    def backups(self) -> pathlib.Path:
        return self.folder / "backups"

    @property
    def config_backup(self) -> pathlib.Path:
        return self.folder / "etc" / "config_backup"

    @property
    def sets(self) -> pathlib.Path:
        return self.folder / "sets"

    def request(self, **options: t.Any) -> Request:
        given = {"fingerprint": False, **options}
        return Request(str(self.backups), str(self.sets), str(self.folder / "state"), **given)

    def host(self) -> Host:
        recorder = Recorder(str(self.folder / "state"), "test", lambda: self.now)
        recorder.begin()
        return Host(self.run, self.stream, recorder, self.places, lambda: self.now)

    def make(self, **options: t.Any) -> tuple[Manifest, list[str]]:
        self.now += 1
        return _backup_make.make(self.request(**options), self.host())

    def names(self) -> list[str]:
        return sorted(path.name for path in self.sets.iterdir())

    def run(self, argv: t.Sequence[str], **unused: t.Any) -> Completed:
        self.calls.append(list(argv))
        if argv[0] != "gitlab-ctl":
            return Completed(0, ANSWERS.get(argv[0], ""))
        path = self.config_backup / f"gitlab_config_{int(self.now)}_2026_11_24.tar"
        secrets = (self.folder / "etc" / "gitlab-secrets.json").read_bytes()
        members = {"/etc/gitlab/gitlab.rb": b"external_url 'x'", "/etc/gitlab/gitlab-secrets.json": secrets}
        path.write_bytes(tar(members))
        said = f"Creating configuration backup archive: {path.name}\n"
        if self.config_rc:
            return Completed(self.config_rc, said, self.config_stderr)
        return Completed(0, f"{said}Configuration backup archive complete: {path}\n", "")

    def stream(self, argv: t.Sequence[str], on_line: t.Callable[[str], None], **unused: t.Any) -> Completed:
        self.calls.append(list(argv))
        given = dict(word.split("=", 1) for word in argv if "=" in word)
        set_id, skipped = given["BACKUP"], given["SKIP"].split(",")
        members: dict[str, bytes] = {"backup_information.yml": f":gitlab_version: {VERSION}\n".encode()}
        (self.backups / "db").mkdir(exist_ok=True)
        for words, name in PARTS.items():
            on_line(f"2026-11-24 07:20:09 UTC -- Dumping {words} ...")
            if name in skipped:
                on_line(f"2026-11-24 07:20:09 UTC -- Dumping {words} ... [SKIPPED]")
                continue
            if name in ("db", "repositories") and self.folders:
                members[f"{name}/"] = b""
            if name != self.lost:
                members[_member(name)] = gzip.compress(name.encode(), mtime=0)
            on_line(f"2026-11-24 07:20:09 UTC -- Dumping {words} ... done")
        self.during()
        for line in self.says:
            on_line(line)
        (self.backups / f"{set_id}_gitlab_backup.tar").write_bytes(self.damage(tar(members)))
        (self.backups / "db").rmdir()
        on_line(f"2026-11-24 07:20:10 UTC -- Backup {set_id} is done.")
        return Completed(self.rc, "")


def _member(part: str) -> str:
    return {"db": "db/database.sql.gz", "repositories": "repositories/manifests/x.gz"}.get(part, f"{part}.tar.gz")


def tar(members: t.Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            info.type = tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()

# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A backup set: its names, its layout and its manifest. docs/backup-sets.md shows them to people.

Runs on a host and on the controller: pure functions over typed data, standard library of Python 3.9.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import re
import time
import typing as t

FORMAT = 1
MANIFEST = "manifest.json"
# <epoch>_<Y>_<m>_<d>_<GitLab's version>: GitLab's own form (server facts 1.3), so its tools know the archive.
_ID = re.compile(r"\A(\d{10})_\d{4}_\d{2}_\d{2}_(\d+\.\d+\.\d+(?:[-.](?:pre|rc\d+))?(-ee)?)\Z")
_FILE = re.compile(r"\A[0-9A-Za-z][0-9A-Za-z._-]*\Z")
_SHA256 = re.compile(r"\A[0-9a-f]{64}\Z")
ARCHIVE_SUFFIX = "_gitlab_backup.tar"

Json = dict[str, t.Any]


class SetError(Exception):
    """A set is not what it should be; the text says what is wrong and what to do."""


class Kind:
    """What an archive holds."""

    APPLICATION = "application"  # gitlab-rake gitlab:backup:create
    CONFIGURATION = "configuration"  # gitlab-ctl backup-etc: /etc/gitlab with gitlab-secrets.json


class State:
    """What became of a part of GitLab's data."""

    INCLUDED = "included"
    SKIPPED = "skipped"  # by SKIP
    DISABLED = "disabled"  # the feature is off


@dataclasses.dataclass(frozen=True)
class Part:
    """A part of an archive: its name as in SKIP (db, repositories, uploads, ...), what is in it; size in bytes."""

    name: str
    state: str = State.INCLUDED
    members: int = 0
    size: int = 0


@dataclasses.dataclass(frozen=True)
class Pieces:
    """Checksums of an archive cut into pieces of equal size (the last may be smaller), as S3 takes it in parts.

    size is in bytes; sha256 are in base64, as the header x-amz-checksum-sha256 has them.
    """

    size: int
    sha256: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Archive:
    """A file of the set: its name inside the set, size in bytes, sha256 in hex, and what it was seen to hold."""

    kind: str
    file: str
    size: int
    sha256: str
    members: int
    parts: tuple[Part, ...] = ()
    pieces: Pieces | None = None


@dataclasses.dataclass(frozen=True)
class Release:
    """The GitLab that was backed up: version as restore compares it, the package as rpm names it."""

    version: str
    package: str | None = None

    @property
    def edition(self) -> str:
        return "ee" if self.version.endswith("-ee") else "ce"


@dataclasses.dataclass(frozen=True)
class Manifest:
    """Everything known of a set. Times are UTC in ISO 8601; fingerprints are those of _gitlab_fingerprint.

    fingerprint_before was taken when the backup began, fingerprint_after when GitLab's dump was done; both are None
    where they were not asked for. information is what backup_information.yml says, key by key, as text.
    """

    id: str
    release: Release
    archives: tuple[Archive, ...]
    host: str
    began: str
    ended: str
    tool: str
    options: Json = dataclasses.field(default_factory=dict)
    information: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    secrets_sha256: str | None = None
    fingerprint_before: Json | None = None
    fingerprint_after: Json | None = None
    warnings: tuple[str, ...] = ()

    def archive(self, kind: str) -> Archive:
        """The archive of that kind; raises SetError where the set has none."""
        found = [one for one in self.archives if one.kind == kind]
        if len(found) != 1:
            raise SetError(f"The set {self.id} has {len(found)} archives of the kind {kind}; one is needed.")
        return found[0]

    @property
    def application(self) -> Archive:
        return self.archive(Kind.APPLICATION)

    @property
    def configuration(self) -> Archive:
        return self.archive(Kind.CONFIGURATION)

    @property
    def size(self) -> int:
        return sum(archive.size for archive in self.archives)

    @property
    def skipped(self) -> tuple[str, ...]:
        """Names of the parts that SKIP left out."""
        return tuple(part.name for part in self.application.parts if part.state == State.SKIPPED)

    @property
    def files(self) -> tuple[str, ...]:
        """Every file of the set, the manifest last: where it is, all others are."""
        return (*(archive.file for archive in self.archives), MANIFEST)


def new_id(now: float, version: str) -> str:
    """The id of a set made at that time (seconds since the epoch) of that version of GitLab."""
    made = time.strftime("%Y_%m_%d", time.gmtime(now))
    return checked_id(f"{int(now)}_{made}_{version}")


def checked_id(text: str) -> str:
    """The text, where it is the id of a set; raises SetError."""
    if not _ID.match(text):
        raise SetError(
            f"{text!r} is not the id of a backup set: ids look like 1795504809_2026_11_24_18.11.4, without "
            f"{ARCHIVE_SUFFIX} at the end. gitlab_backup_info lists the sets of a host."
        )
    return text


def is_id(text: str) -> bool:
    return _ID.match(text) is not None


def made_at(set_id: str) -> int:
    """When a set was begun, in seconds since the epoch."""
    return int(checked_id(set_id).partition("_")[0])


def archive_name(set_id: str) -> str:
    """The application archive's file name, the same in GitLab's backup_path and in the set."""
    return set_id + ARCHIVE_SUFFIX


def dump(manifest: Manifest) -> str:
    """The text of manifest.json."""
    data = dataclasses.asdict(manifest)
    gitlab = {**data.pop("release"), "edition": manifest.release.edition}
    return json.dumps({"format": FORMAT, **data, "gitlab": gitlab}, indent=2, sort_keys=True) + "\n"


def load(text: str, place: str) -> Manifest:
    """Read manifest.json; place names it in the errors. Raises SetError."""
    try:
        data = json.loads(text)
    except ValueError as exc:
        raise SetError(f"{place} is cut off or damaged ({exc}). Use another set, or fetch this one again.") from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        found = data.get("format") if isinstance(data, dict) else None
        raise SetError(
            f"{place} has the format {found!r}, and this version reads format {FORMAT}. "
            "Use the version of the collection that made the set, or a newer one."
        )
    try:
        manifest = _manifest(data)
        _check(manifest)
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise SetError(
            f"{place} is no manifest of a backup set: {type(exc).__name__} {exc}. Use another set."
        ) from None
    return manifest


def _manifest(data: Json) -> Manifest:
    return Manifest(
        id=checked_id(data["id"]),
        release=Release(str(data["gitlab"]["version"]), data["gitlab"].get("package")),
        archives=tuple(archive_from(one) for one in data["archives"]),
        host=str(data["host"]),
        began=str(data["began"]),
        ended=str(data["ended"]),
        tool=str(data["tool"]),
        options=dict(data.get("options") or {}),
        information={str(key): str(value) for key, value in (data.get("information") or {}).items()},
        secrets_sha256=data.get("secrets_sha256"),
        fingerprint_before=data.get("fingerprint_before"),
        fingerprint_after=data.get("fingerprint_after"),
        warnings=tuple(map(str, data.get("warnings") or ())),
    )


def archive_from(data: Json) -> Archive:
    """An archive from what dataclasses.asdict made of it; raises KeyError, TypeError or ValueError."""
    pieces = data.get("pieces")
    return Archive(
        kind=str(data["kind"]),
        file=str(data["file"]),
        size=int(data["size"]),
        sha256=str(data["sha256"]),
        members=int(data["members"]),
        parts=tuple(
            Part(str(one["name"]), str(one["state"]), int(one["members"]), int(one["size"])) for one in data["parts"]
        ),
        pieces=Pieces(int(pieces["size"]), tuple(map(str, pieces["sha256"]))) if pieces else None,
    )


def _check(manifest: Manifest) -> None:
    """What a manifest that came from elsewhere must not do: name files outside its set, or claim what can't be."""
    for archive in manifest.archives:
        if not _FILE.match(archive.file) or archive.file == MANIFEST:
            raise ValueError(f"the file name {archive.file!r} is not allowed")
        if not _SHA256.match(archive.sha256) or archive.size < 0:
            raise ValueError(f"size or checksum of {archive.file} can't be")
        if archive.pieces is not None:
            _check_pieces(archive.pieces, archive)
    if manifest.application.file != archive_name(manifest.id):
        raise ValueError(f"the archive of {manifest.id} is called {manifest.application.file}")
    if _version_of(manifest.id) != manifest.release.version:
        raise ValueError(f"{manifest.id} is said to be of GitLab {manifest.release.version}")
    manifest.archive(Kind.CONFIGURATION)


def _check_pieces(pieces: Pieces, archive: Archive) -> None:
    if pieces.size < 1 or len(pieces.sha256) != max(1, -(-archive.size // pieces.size)):
        raise ValueError(f"{archive.file} is not {len(pieces.sha256)} pieces of {pieces.size} bytes")
    for one in pieces.sha256:
        if len(base64.b64decode(one, validate=True)) != 32:
            raise ValueError(f"{one!r} is no sha256 in base64")


def _version_of(set_id: str) -> str:
    found = _ID.match(set_id)
    return found.group(2) if found else ""

# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One reading of an archive: checksums as others compute them, every member, and what is wrong."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import pathlib
import subprocess
import tarfile
import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _backup_pass
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_gzip import Budget
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_tar import Contents, Walker

Member = tuple[str, bytes]
PACKED = gzip.compress(b"rows")
MEMBERS: tuple[Member, ...] = (
    ("backup_information.yml", b":gitlab_version: 18.6.2\n"),
    ("db/database.sql.gz", PACKED),
    ("repositories/@hashed/aa/bb.bundle", b"x" * 1500),
    ("uploads.tar.gz", PACKED),
)


def archive(
    folder: pathlib.Path, members: t.Sequence[Member] = MEMBERS, form: int = tarfile.GNU_FORMAT, prefix: str = ""
) -> pathlib.Path:
    path = folder / "x.tar"
    with tarfile.open(path, "w", format=form) as tar:
        for name, content in members:
            info = tarfile.TarInfo(prefix + name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def seen(path: pathlib.Path, **options: t.Any) -> Contents:
    return _backup_pass.read(str(path), Walker(**options)).contents


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT])
@pytest.mark.parametrize("prefix", ["", "./"])
def test_members_and_parts(tmp_path: pathlib.Path, form: int, prefix: str) -> None:
    found = seen(archive(tmp_path, MEMBERS, form, prefix), keep=["backup_information.yml"])
    assert (found.members, found.first, found.faults) == (4, "backup_information.yml", ())
    assert {name: (group.members, group.size) for name, group in found.groups.items()} == {
        "backup_information.yml": (1, 24),
        "db": (1, len(PACKED)),
        "repositories": (1, 1500),
        "uploads.tar.gz": (1, len(PACKED)),
    }
    assert found.texts == {"backup_information.yml": b":gitlab_version: 18.6.2\n"}


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_and_large_numbers(tmp_path: pathlib.Path, form: int) -> None:
    name = "etc/" + "d" * 120 + "/" + "é" * 60
    path = archive(tmp_path, [(name, b"secret"), ("next", b"")], form)
    found = seen(path, hash_of=[name])
    assert found.sums == {name: hashlib.sha256(b"secret").hexdigest()}
    assert (found.members, found.faults) == (2, ())


def test_absolute_names_of_gnu_tar(tmp_path: pathlib.Path) -> None:
    """As gitlab-ctl backup-etc writes them, links and directories among them."""
    folder = tmp_path / "etc"
    (folder / "ssl").mkdir(parents=True)
    (folder / "gitlab.rb").write_text("x")
    (folder / "link").symlink_to("gitlab.rb")
    path = tmp_path / "config.tar"
    subprocess.run(["tar", "--absolute-names", "-cf", path, folder], check=True)
    name = f"{folder}/gitlab.rb".lstrip("/")
    found = seen(path, keep=[name])
    assert (found.members, found.texts, found.faults) == (4, {name: b"x"}, ())


def test_blocks_are_cut_anywhere(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = seen(archive(tmp_path), keep=["backup_information.yml"])
    monkeypatch.setattr(_backup_pass, "BLOCK_BYTES", 512)
    assert seen(tmp_path / "x.tar", keep=["backup_information.yml"]) == whole


@pytest.mark.parametrize("size", [1, 511, 1024, 10240, 10241, 1 << 20])
def test_checksums_are_those_of_others(tmp_path: pathlib.Path, size: int) -> None:
    path = archive(tmp_path)
    content = path.read_bytes()
    found = _backup_pass.read(str(path), Walker(), piece_size=size)
    assert (found.size, found.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    cut = [content[at : at + size] for at in range(0, len(content), size)]
    assert found.pieces is not None
    assert found.pieces.sha256 == tuple(base64.b64encode(hashlib.sha256(one).digest()).decode() for one in cut)
    assert _backup_pass.piece_sums(str(path), size) == found.pieces


def test_an_empty_file_is_one_empty_piece(tmp_path: pathlib.Path) -> None:
    (tmp_path / "empty").touch()
    sums = _backup_pass.piece_sums(str(tmp_path / "empty"), 100)
    assert sums.sha256 == (base64.b64encode(hashlib.sha256(b"").digest()).decode(),)


def test_a_copy_is_made_in_the_same_pass(tmp_path: pathlib.Path) -> None:
    path = archive(tmp_path)
    found = _backup_pass.read(str(path), Walker(), copy_to=str(tmp_path / "copy"))
    assert (tmp_path / "copy").read_bytes() == path.read_bytes()
    assert (tmp_path / "copy").stat().st_mode & 0o777 == 0o600
    assert found.contents.faults == ()


def test_a_copy_that_fails_is_an_error(tmp_path: pathlib.Path) -> None:
    with pytest.raises(OSError, match="No space left"):
        _backup_pass._stream(str(archive(tmp_path)), [_full], lambda unused: None, lambda unused: None)


def _full(_view: memoryview) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        pytest.param(lambda content: b"", "it is empty", id="no-byte"),
        pytest.param(lambda content: bytes(10240), "it is empty", id="no-member"),
        pytest.param(lambda content: content[:512], "in the middle of a member, 512 bytes early", id="header-alone"),
        pytest.param(lambda content: content[:700], "in the middle of a member", id="cut-in-data"),
        pytest.param(lambda content: content[:1124], "in the middle of a header", id="cut-in-a-header"),
        pytest.param(lambda content: content[:1024], "it has no end", id="cut-between-members"),
        pytest.param(lambda content: content[:1030] + b"x" + content[1031:], "header at byte 1024", id="flipped"),
        pytest.param(lambda content: content + content, "something behind its end", id="twice"),
        pytest.param(lambda content: content.replace(PACKED, b"\0" * len(PACKED)), "uploads.tar.gz", id="no-gzip"),
    ],
)
def test_what_is_wrong_is_seen(tmp_path: pathlib.Path, damage: t.Callable[[bytes], bytes], words: str) -> None:
    path = archive(tmp_path)
    path.write_bytes(damage(path.read_bytes()))
    assert words in "; ".join(seen(path).faults)


def test_an_empty_part_is_seen(tmp_path: pathlib.Path) -> None:
    found = seen(archive(tmp_path, [*MEMBERS, ("builds.tar.gz", b"")]))
    assert found.faults == ("builds.tar.gz (0 bytes) is not compressed data",)


def test_a_member_of_more_than_octal_can_say(tmp_path: pathlib.Path) -> None:
    info = tarfile.TarInfo("uploads.tar.gz")
    info.size = 9 << 30
    walker = Walker()
    walker.feed(memoryview(info.tobuf(tarfile.GNU_FORMAT)))
    found = walker.contents()
    assert found.groups["uploads.tar.gz"].size == 9 << 30
    assert found.faults == (f"it ends in the middle of a member, {9 << 30} bytes early",)


TAR_GZ = gzip.compress(bytes(range(256)) * 40 * 10, mtime=0)  # records of a tar


def _with(folder: pathlib.Path, name: str, content: bytes, budget: int = 1 << 20) -> tuple[str, ...]:
    return seen(archive(folder, [(name, content)]), budget=Budget(budget)).faults


@pytest.mark.parametrize(
    ("name", "content", "budget", "words"),
    [
        pytest.param("x.tar.gz", TAR_GZ, 1 << 20, "", id="good"),
        pytest.param("x.tar.gz", TAR_GZ, 0, "", id="good-not-unpacked"),
        pytest.param("db/database.sql.gz", PACKED, 0, "", id="a-dump-is-no-tar"),
        pytest.param("x.tar.gz", TAR_GZ + TAR_GZ, 1 << 20, "", id="two-streams"),
        pytest.param("x.tar.gz", b"\x28\xb5\x2f\xfd....", 1 << 20, "", id="zstd"),
        pytest.param("x.tar.gz", TAR_GZ[:-9], 1 << 20, "is cut short", id="cut"),
        pytest.param("x.tar.gz", TAR_GZ[:-9], 0, "its end is not that of a packed tar", id="cut-not-unpacked"),
        pytest.param("db/database.sql.gz", PACKED[:-5], 1 << 20, "is cut short", id="dump-cut"),
        pytest.param("x.tar.gz", TAR_GZ[:-8] + b"12345678", 1 << 20, "can't be unpacked", id="wrong-sum"),
        pytest.param("x.tar.gz", TAR_GZ[:5], 1 << 20, "is not compressed data", id="nearly-nothing"),
    ],
)
def test_compressed_members(tmp_path: pathlib.Path, name: str, content: bytes, budget: int, words: str) -> None:
    faults = _with(tmp_path, name, content, budget)
    assert (faults == ()) if not words else (words in faults[0])


def test_the_budget_is_spent_in_order(tmp_path: pathlib.Path) -> None:
    members = [("db/database.sql.gz", PACKED[:-1]), ("big.gz", TAR_GZ[:-1])]
    found = seen(archive(tmp_path, members), budget=Budget(len(PACKED)))
    assert len(found.faults) == 1
    assert len(seen(tmp_path / "x.tar", budget=Budget(None)).faults) == 2

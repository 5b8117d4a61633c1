# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Walks a tar that passes by in blocks: its members, the parts they belong to, and what is wrong with them.

Runs on a host: standard library of Python 3.9. tarfile would read the archive a second time and keeps every member in
memory; this sees each header once, and keeps counts.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_gzip import Budget, Compressed

BLOCK = 512
CAPTURED_BYTES = 1 << 20  # backup_information.yml has some hundred bytes; extended headers have less
MAX_FAULTS = 10
# Types of members that have no data behind their header, whatever its size field says (as tarfile reads them).
_EMPTY = frozenset(b"123456")
_LONG_NAME, _LONG_LINK, _PAX, _PAX_GLOBAL = b"LKxg"
_DIRECTORY = ord("5")
_PAX_RECORD = re.compile(rb"\d+ (path|size)=([^\n]*)\n")


@dataclasses.dataclass
class Group:
    """Members of one part that are no folders; size is in bytes."""

    members: int = 0
    size: int = 0


@dataclasses.dataclass(frozen=True)
class Contents:
    """What an archive holds. faults say what is wrong, in the order in which it was met; none in a good one.

    met are the members that were looked for and are there.
    """

    members: int
    first: str
    groups: t.Mapping[str, Group]
    texts: t.Mapping[str, bytes]
    sums: t.Mapping[str, str]
    faults: tuple[str, ...]
    met: frozenset[str] = frozenset()


class Walker:
    """Is fed an archive in blocks, each but the last a multiple of 512 bytes; then asked what it saw.

    keep names members whose text is wanted, hash_of those whose sha256 is, look_for those that must be there and hold
    something. Names are compared without "./" or "/".
    budget says how much of what is compressed is unpacked.
    """

    def __init__(
        self,
        keep: t.Collection[str] = (),
        hash_of: t.Collection[str] = (),
        budget: Budget | None = None,
        look_for: t.Collection[str] = (),
    ) -> None:
        self._look_for = frozenset(look_for)
        self._met: set[str] = set()
        self._budget = budget or Budget()
        self._keep = frozenset(keep)
        self._hash_of = frozenset(hash_of)
        self._groups: dict[str, Group] = {}
        self._texts: dict[str, bytes] = {}
        self._sums: dict[str, str] = {}
        self._faults: list[str] = []
        self._members = 0
        self._first = ""
        self._at = 0  # of the archive, in bytes
        self._ended = False
        self._lost = False  # a header was damaged: nothing behind it can be told
        self._data = 0  # bytes of the present member that are still to come
        self._skip = 0  # of these and their padding
        self._take: t.Callable[[memoryview], None] | None = None
        self._done: t.Callable[[], None] | None = None
        self._next_name: str | None = None
        self._next_size: int | None = None

    def feed(self, block: memoryview) -> None:
        at, end = 0, len(block)
        while at < end and not self._lost:
            if self._skip:
                step = min(self._skip, end - at)
                if self._take is not None and self._data:
                    self._take(block[at : at + min(step, self._data)])
                self._data = max(0, self._data - step)
                self._skip -= step
                at += step
                if not self._skip:
                    self._finish_member()
            else:
                header = block[at : at + BLOCK].tobytes()
                at += BLOCK
                self._header(header, self._at + at - BLOCK)
        self._at += end

    def contents(self) -> Contents:
        """What was seen; only asked when the whole archive was fed."""
        if self._skip and not self._lost:
            self._fault(f"it ends in the middle of a member, {self._skip} bytes early")
        elif not self._members and not self._faults:
            self._fault("it is empty")
        elif not self._ended and not self._lost:
            self._fault("it has no end: tar was stopped while it wrote")
        faults = tuple(self._faults[:MAX_FAULTS])
        return Contents(self._members, self._first, self._groups, self._texts, self._sums, faults, frozenset(self._met))

    def _fault(self, words: str) -> None:
        self._faults.append(words)

    def _header(self, header: bytes, place: int) -> None:
        if not header[0] and not any(header):
            self._ended = True
            return
        problem = "it ends in the middle of a header" if len(header) < BLOCK else ""
        if self._ended:
            problem = f"there is something behind its end, at byte {place}"
        elif not problem and not _sum_is_right(header):
            problem = f"the header at byte {place} is damaged"
        if problem:
            self._lost = True
            self._fault(problem)
            return
        kind = header[156]
        size = _number(header[124:136])
        if kind in (_LONG_NAME, _LONG_LINK, _PAX, _PAX_GLOBAL):
            self._extension(kind, size)
            return
        name = self._next_name if self._next_name is not None else _name(header)
        size = self._next_size if self._next_size is not None else size
        self._next_name = self._next_size = None
        self._member(name, kind, 0 if kind in _EMPTY else size)

    def _member(self, name: str, kind: int, size: int) -> None:
        name = name[2:] if name.startswith("./") else name.lstrip("/")
        if not self._members:
            self._first = name
        self._members += 1
        top = name.partition("/")[0]
        group = self._groups.get(top)
        if group is None:
            group = self._groups[top] = Group()
        group.members += kind != _DIRECTORY
        group.size += size
        if name in self._look_for and size:
            self._met.add(name)
        if name in self._keep:
            self._capture(name, size)
        elif name in self._hash_of:
            self._hash(name)
        elif name.endswith(".gz") and kind != _DIRECTORY:
            self._check_gzip(name, size)
        self._expect(size)

    def _expect(self, size: int) -> None:
        self._data = size
        self._skip = -(-size // BLOCK) * BLOCK
        if not self._skip:
            self._finish_member()

    def _finish_member(self) -> None:
        done, self._done, self._take = self._done, None, None
        if done is not None:
            done()

    def _extension(self, kind: int, size: int) -> None:
        """A header that says more of the next one: GNU's long names, and pax records."""
        if kind in (_LONG_NAME, _PAX):
            text = bytearray()
            self._take = lambda view: _append(text, view)
            self._done = lambda: self._extended(kind, bytes(text))
        self._expect(size)

    def _extended(self, kind: int, text: bytes) -> None:
        if kind == _LONG_NAME:
            self._next_name = _text(text)
            return
        records = dict(_PAX_RECORD.findall(text))
        if b"path" in records:
            self._next_name = _text(records[b"path"])
        if records.get(b"size", b"").isdigit():
            self._next_size = int(records[b"size"])

    def _capture(self, name: str, size: int) -> None:
        if size > CAPTURED_BYTES:
            self._fault(f"{name} has {size} bytes, far too many")
            return
        text = bytearray()
        self._take = lambda view: _append(text, view)
        self._done = lambda: self._texts.__setitem__(name, bytes(text))

    def _hash(self, name: str) -> None:
        digest = hashlib.sha256()
        self._take = digest.update
        self._done = lambda: self._sums.__setitem__(name, digest.hexdigest())

    def _check_gzip(self, name: str, size: int) -> None:
        member = Compressed(name, size, self._budget)

        def done() -> None:
            if member.fault():
                self._fault(member.fault())

        self._take, self._done = member.take, done


def _append(text: bytearray, view: memoryview) -> None:
    text.extend(view[: max(0, CAPTURED_BYTES - len(text))])


def _sum_is_right(header: bytes) -> bool:
    stored = _number(header[148:156])
    return stored == sum(header) - sum(header[148:156]) + 8 * 32


def _number(field: bytes) -> int:
    """A number field: octal, or GNU's base 256 for what octal can't say; -1 where it is neither."""
    if field[0] in (0x80, 0xFF):
        return int.from_bytes(field[1:], "big") if field[0] == 0x80 else -1
    try:
        return int(field.rstrip(b" \0") or b"0", 8)
    except ValueError:
        return -1


def _name(header: bytes) -> str:
    name = _text(header[:100])
    prefix = _text(header[345:500]) if header[257:263] == b"ustar\0" else ""
    return f"{prefix}/{name}" if prefix else name


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "surrogateescape")

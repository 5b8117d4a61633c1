# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at compressed members while they pass by. Runs on a host: standard library of Python 3.9.

Unpacking is many times slower than a checksum, so only as much is unpacked as the budget allows; the database comes
first in GitLab's archive. Of the rest, beginning and end are looked at: gzip ends with the size of what it holds, and
tar writes whole records of 10240 bytes.
"""

from __future__ import annotations

import typing as t
import zlib

# What COMPRESS_CMD may be beside gzip: zstd, xz, lz4, bzip2. The names end in .gz all the same (server facts 1.2).
_OTHERS = (b"\x28\xb5\x2f\xfd", b"\xfd7zXZ\x00", b"\x04\x22\x4d\x18", b"BZh")
_GZIP = b"\x1f\x8b\x08"
_START_BYTES = 6
_TAIL_BYTES = 4
_LEAST_BYTES = 18  # header and trailer of gzip
_OUT_BYTES = 1 << 20
# What is unpacked of an archive: a share of it, so that the reading stays as fast as a checksum, within bounds.
_SHARE = 16
_LEAST_BUDGET = 32 << 20
_MOST_BUDGET = 256 << 20
# What the size at the end can be divided by: records of 10240 bytes, of which gzip keeps the lower 32 bits.
_RECORD = 2048


class Budget:
    """How many compressed bytes may still be unpacked in this reading; None: all."""

    def __init__(self, left: t.Optional[int] = _LEAST_BUDGET) -> None:
        self._left = left

    @classmethod
    def of(cls, archive_size: int) -> Budget:
        """What an archive of that size is worth."""
        return cls(min(max(archive_size // _SHARE, _LEAST_BUDGET), _MOST_BUDGET))

    def takes(self, size: int) -> bool:
        """Whether a member of that size is unpacked; it is paid for then."""
        if self._left is None:
            return True
        if size > self._left:
            return False
        self._left -= size
        return True


class Compressed:
    """One compressed member: fed its bytes, then asked what is wrong with it."""

    def __init__(self, name: str, size: int, budget: Budget) -> None:
        self._name = name
        self._size = size
        self._start = b""
        self._tail = b""
        self._unpacked = budget.takes(size)
        self._unpack = zlib.decompressobj(31)
        self._error = ""

    def take(self, view: memoryview) -> None:
        if len(self._start) < _START_BYTES:
            self._start += bytes(view[: _START_BYTES - len(self._start)])
        self._tail = (self._tail + bytes(view[-_TAIL_BYTES:]))[-_TAIL_BYTES:]
        if self._unpacked and not self._error and self._start[: len(_GZIP)] == _GZIP[: len(self._start)]:
            try:
                self._inflate(bytes(view))
            except zlib.error as exc:
                self._error = str(exc)

    def _inflate(self, data: bytes) -> None:
        while data:
            if self._unpack.eof:  # gzip may be several streams one behind the other
                self._unpack = zlib.decompressobj(31)
            self._unpack.decompress(data, _OUT_BYTES)
            data = self._unpack.unused_data if self._unpack.eof else self._unpack.unconsumed_tail

    def fault(self) -> str:
        """What is wrong; empty in a good one."""
        what = f"{self._name} ({self._size} bytes)"
        if self._start.startswith(_OTHERS):
            return ""
        if not self._start.startswith(_GZIP) or self._size < _LEAST_BYTES:
            return f"{what} is not compressed data"
        if self._error:
            return f"{what} can't be unpacked: {self._error}"
        if self._unpacked and not self._unpack.eof:
            return f"{what} is cut short"
        if not self._unpacked and self._name.endswith(".tar.gz") and int.from_bytes(self._tail, "little") % _RECORD:
            return f"{what} is cut short: its end is not that of a packed tar"
        return ""

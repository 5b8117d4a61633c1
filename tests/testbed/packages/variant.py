# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes another gitlab-runner, one file, to put in the twin's place: `python -m testbed.packages.variant FILE`.

It shows that the place is open: `TESTBED_RUNNER_BINARY=FILE make molecule` packs it as it would pack a genuine program.
It behaves as the twin but is another build: its own version and revision, and other words in the log of its daemon.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import io
import json
import tarfile
import tempfile
from pathlib import Path

from testbed.gitlab_runner.pack import pack

VERSION = "18.2.9"
REVISION = "0ddba11"
# Words that nobody may rely on: they are not the interface, and versions differ in them.
WORDS = {
    "Checking for jobs... received": "A job has been taken",
    "Configuration loaded": "Settings are in effect",
    "Job succeeded": "The job went well",
    "Starting graceful shutdown, waiting for builds to finish": "Draining",
    "All workers stopped.": "Nobody works any more.",
    "Can exit now!": "Goodbye",
    "received stop signal": "was asked to stop",
    "Initializing executor providers": "Getting ready",
}
PROGRAM = """\
#!/usr/bin/python3 -IS
import base64, io, os, sys, tarfile, tempfile
home = "/var/cache/gitlab-runner-variant/{digest}"
if not os.path.isdir(home):
    os.makedirs(os.path.dirname(home), exist_ok=True)
    part = tempfile.mkdtemp(dir=os.path.dirname(home))
    tarfile.open(fileobj=io.BytesIO(base64.b85decode({content!r}))).extractall(part)
    try:
        os.rename(part, home)
    except OSError:
        pass
sys.path.insert(0, home)
from gitlab_runner import early
early.go_defaults()
from gitlab_runner.cli import start
start()
"""


def _changed(text: str) -> str:
    for word, other in WORDS.items():
        text = text.replace(word, other)
    return text


def _archive(twin: Path) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:xz") as archive:
        for path in sorted(twin.rglob("*")):
            if path.is_file():
                item = tarfile.TarInfo(str(path.relative_to(twin)))
                content = path.read_bytes()
                item.size = len(content)
                archive.addfile(item, io.BytesIO(content))
    return out.getvalue()


def make(target: Path, version: str = VERSION) -> None:
    """Write the program."""
    with tempfile.TemporaryDirectory() as scratch:
        pack(version, Path(scratch))
        twin = Path(scratch) / "usr/lib/gitlab-runner/twin"
        for path in twin.rglob("*.py"):
            path.write_text(_changed(path.read_text(encoding="utf-8")), encoding="utf-8")
        info = twin / "build_info.json"
        info.write_text(json.dumps({**json.loads(info.read_text(encoding="utf-8")), "revision": REVISION}))
        archive = _archive(twin)
    digest = hashlib.sha256(archive).hexdigest()[:16]
    target.write_text(PROGRAM.format(digest=digest, content=base64.b85encode(archive).decode()), encoding="utf-8")
    target.chmod(0o755)


def main() -> None:
    parser = argparse.ArgumentParser(prog="testbed.packages.variant", description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--version", default=VERSION)
    args = parser.parse_args()
    make(args.file, args.version)


if __name__ == "__main__":
    main()

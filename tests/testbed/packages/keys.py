# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signing keys: for packages and for metadata (as GitLab has it, runner facts 9), one that GitLab has given up
(server facts 8), and a stranger's."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from testbed import programs
from testbed.errors import TestbedError

PACKAGES = "packages"
METADATA = "metadata"
FORMER = "former-packages"
STRANGER = "stranger"
HOME_PREFIX = "testbed-gpg-"
NAMES = (PACKAGES, METADATA, FORMER, STRANGER)


@dataclasses.dataclass(frozen=True)
class Key:
    """A key pair: the secret half stays in its file, the public half is served."""

    name: str
    fingerprint: str
    secret: Path
    public: Path


def _end_agent(home: Path) -> None:
    programs.run(["gpgconf", "--homedir", home, "--kill", "all"], "end the signing agent")


def clear_left_overs() -> None:
    """End the agents of killed runs and remove their homes; a home's name says whose it is."""
    for home in Path(tempfile.gettempdir()).glob(f"{HOME_PREFIX}*"):
        pid = home.name.removeprefix(HOME_PREFIX).split("-")[0]
        if pid.isdigit() and not Path("/proc", pid).exists():
            _end_agent(home)
            shutil.rmtree(home, ignore_errors=True)


@contextmanager
def _gnupg_home() -> Iterator[Path]:
    """Lend a home of its own to gpg, in a short path (its sockets go there), and end the agent with it."""
    with tempfile.TemporaryDirectory(prefix=f"{HOME_PREFIX}{os.getpid()}-") as name:
        try:
            yield Path(name)
        finally:
            _end_agent(Path(name))


def _gpg(home: Path, attempt: str, *args: str | Path) -> str:
    return programs.run(["gpg", "--homedir", home, "--batch", "--yes", "--quiet", *args], attempt)


def fingerprint(listing: str) -> str:
    """Return the primary key's fingerprint from gpg's `--with-colons` listing."""
    found = re.search(r"^fpr:+([0-9A-F]{40}):", listing, re.MULTILINE)
    if not found:
        raise TestbedError("Could not find a fingerprint in gpg's listing of the testbed's key.")
    return found[1]


def _generate(name: str, folder: Path) -> None:
    who = f"Fleetwright testbed ({name}) <{name}@testbed.invalid>"
    with _gnupg_home() as home:
        attempt = f"make the testbed's key for {name}"
        _gpg(home, attempt, "--passphrase", "", "--quick-generate-key", who, "rsa3072", "sign", "never")
        public = _gpg(home, attempt, "--armor", "--export")
        secret = _gpg(home, attempt, "--armor", "--export-secret-keys")
    (folder / f"{name}.pub").write_text(public)
    # The secret half comes last and in one move: a key is there when both halves are.
    part = folder / f"{name}.part"
    part.touch(mode=0o600)
    part.write_text(secret)
    part.rename(folder / f"{name}.key")


def key(name: str, folder: Path) -> Key:
    """Return the named key, made on first use."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    secret, public = folder / f"{name}.key", folder / f"{name}.pub"
    if not secret.exists():
        _generate(name, folder)
    with _gnupg_home() as home:
        show = ["--with-colons", "--import-options", "show-only", "--import"]
        listing = _gpg(home, "read the testbed's key", *show, public)
    return Key(name, fingerprint(listing), secret, public)


def sign_packages(signer: Key, packages: Sequence[Path]) -> None:
    """Sign rpm files in place and look at the result: rpmsign can fail and say nothing."""
    if not packages:
        return
    with _gnupg_home() as home:
        _gpg(home, "load the signing key", "--import", signer.secret)
        macros = {"__gpg": "/usr/bin/gpg", "_gpg_name": signer.fingerprint, "_gpg_path": str(home)}
        defines = [word for name, value in macros.items() for word in ("--define", f"{name} {value}")]
        env = {**os.environ, "GNUPGHOME": str(home)}
        programs.run(["rpmsign", *defines, "--addsign", *packages], "sign the packages", env=env)
    for package in packages:
        if signer.fingerprint[-16:].lower() not in signature(package):
            raise TestbedError(f"Could not sign {package.name}: rpmsign said nothing, but the signature is not there.")


def signature(package: Path) -> str:
    """Return rpm's description of a package's signature, in small letters."""
    query = ["rpm", "-qp", "--nosignature", "--qf", "%{RSAHEADER:pgpsig}", str(package)]
    return programs.run(query, f"read the signature of {package.name}").lower()


def sign_file(signer: Key, file: Path) -> None:
    """Write the detached armoured signature FILE.asc."""
    with _gnupg_home() as home:
        _gpg(home, "load the signing key", "--import", signer.secret)
        _gpg(home, f"sign {file.name}", "--armor", "--output", f"{file}.asc", "--detach-sign", file)

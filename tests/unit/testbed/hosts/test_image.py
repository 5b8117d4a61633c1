# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The image's recipe: suite, sources, digest, and what the system says about itself."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from testbed.errors import TestbedError
from testbed.hosts import systems
from testbed.hosts.image import derived_tag
from testbed.hosts.recipe import Recipe, os_release, recipe, sources_of, suite_of

TARGETS = """\
http://mirror.invalid/debian/|bookworm|main
http://mirror.invalid/debian/|bookworm-updates|main
http://mirror.invalid/security/|bookworm-security|main
http://mirror.invalid/debian/|bookworm|contrib
https://other.invalid/apt/|cloud-bookworm|main
https://docker.invalid/debian/|bookworm|stable
http://mirror.invalid/debian/|bookworm|main
"""
SOURCES = (
    "deb http://mirror.invalid/debian/ bookworm main",
    "deb http://mirror.invalid/debian/ bookworm-updates main",
    "deb http://mirror.invalid/security/ bookworm-security main",
)


def test_sources_are_the_machines_own_for_the_suite() -> None:
    assert sources_of(TARGETS, "bookworm") == SOURCES


def test_a_machine_without_a_source_for_its_suite_is_told() -> None:
    with pytest.raises(TestbedError, match="no source for trixie main"):
        sources_of(TARGETS, "trixie")


@pytest.mark.parametrize(
    ("text", "suite"),
    [
        pytest.param('ID=debian\nVERSION_CODENAME=bookworm\nPRETTY_NAME="Debian 12"\n', "bookworm", id="debian-12"),
        pytest.param("# comment\nID=debian\nVERSION_CODENAME='trixie'\n", "trixie", id="quoted"),
    ],
)
def test_suite(text: str, suite: str) -> None:
    assert suite_of(os_release(text)) == suite


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('ID=fedora\nPRETTY_NAME="Fedora Linux 43"\n', id="other-system"),
        pytest.param('ID=debian\nPRETTY_NAME="Debian sid"\n', id="no-codename"),
    ],
)
def test_other_machines_are_told_to_name_an_image(text: str) -> None:
    with pytest.raises(TestbedError, match="TESTBED_IMAGE="):
        suite_of(os_release(text))


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        pytest.param({}, "al2023", id="default"),
        pytest.param({"TESTBED_OS": ""}, "al2023", id="empty"),
        pytest.param({"TESTBED_OS": "el9"}, "el9", id="el9"),
    ],
)
def test_choice_of_system(env: dict[str, str], expected: str) -> None:
    assert systems.choose(env).name == expected


def test_unknown_system_is_refused() -> None:
    with pytest.raises(TestbedError, match="choose one of al2023, el9"):
        systems.choose({"TESTBED_OS": "el8"})


@pytest.mark.parametrize(
    ("name", "identity", "version", "releasever"),
    [
        pytest.param("al2023", "amzn", "2023", "2023", id="al2023"),
        pytest.param("el9", "almalinux", "9.6", "9", id="el9"),
    ],
)
def test_files_that_facts_are_read_from(name: str, identity: str, version: str, releasever: str) -> None:
    found = systems.files(systems.SYSTEMS[name])
    release = os_release(found["usr/lib/os-release"])
    assert (release["ID"], release["VERSION_ID"]) == (identity, version)
    assert version in found["etc/system-release"]
    assert found["etc/dnf/vars/releasever"] == f"{releasever}\n"
    assert found["etc/machine-id"] == ""
    assert "gpgcheck=1" in found["etc/dnf/dnf.conf"]


def test_only_the_el_system_has_a_redhat_release() -> None:
    assert "etc/redhat-release" in systems.files(systems.SYSTEMS["el9"])
    assert "etc/redhat-release" not in systems.files(systems.SYSTEMS["al2023"])


def _recipe(system: str = "al2023", suite: str = "bookworm", sources: tuple[str, ...] = SOURCES) -> Recipe:
    return recipe(systems.SYSTEMS[system], suite, sources)


@pytest.mark.parametrize(
    ("other", "same"),
    [
        pytest.param(_recipe(), True, id="same-recipe"),
        pytest.param(_recipe(sources=SOURCES[:1]), True, id="mirror-does-not-matter"),
        pytest.param(_recipe("el9"), False, id="system"),
        pytest.param(_recipe(suite="trixie"), False, id="suite"),
        pytest.param(dataclasses.replace(_recipe(), provision="true"), False, id="provision"),
        pytest.param(dataclasses.replace(_recipe(), customize="true"), False, id="customize"),
    ],
)
def test_digest(other: Recipe, same: bool) -> None:
    assert (other.digest() == _recipe().digest()) == same


def test_a_named_image_is_derived_again_when_its_content_changes() -> None:
    tags = {derived_tag("id1", "a"), derived_tag("id2", "a"), derived_tag("id1", "b")}
    assert len(tags) == 3
    assert derived_tag("id1", "a") in tags


def test_no_mirror_is_named_in_the_code() -> None:
    folder = Path(systems.__file__).parent
    texts = [file.read_text() for file in folder.rglob("*") if file.suffix in (".py", ".sh")]
    assert texts
    assert not [text for text in texts if "deb.debian.org" in text or "://" in text.replace("https://www.gnu.org", "")]

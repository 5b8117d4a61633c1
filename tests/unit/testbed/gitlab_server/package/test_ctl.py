# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""gitlab-ctl's services and small commands answer as seen (observed 5)."""

from __future__ import annotations

import json

import pytest

from .conftest import Ground


@pytest.mark.parametrize(
    ("states", "words", "code", "lines"),
    [
        pytest.param({}, "status", 0, 5, id="all-up"),
        pytest.param({"puma": "down", "sidekiq": "crash"}, "status", 6, 5, id="two-down-are-six"),
        pytest.param({"puma": "unsupervised"}, "status", 1, 5, id="runsv-not-running-is-one"),
        pytest.param({"puma": "denied"}, "status", 4, 5, id="access-denied-is-four"),
        pytest.param({"puma": "down"}, "status puma", 3, 1, id="one-down"),
        pytest.param({}, "status pumaa", 0, 0, id="unknown-service-says-nothing"),
        pytest.param({}, "stop puma sidekiq", 0, 1, id="second-name-is-ignored"),
        pytest.param({}, "stop", 0, 5, id="stop-all"),
        pytest.param({"sidekiq": "crash"}, "start sidekiq", 1, 1, id="start-in-vain"),
        pytest.param({}, "hup puma", 0, 0, id="signals-say-nothing"),
        pytest.param({"puma": "unsupervised"}, "kill puma", 1, 1, id="signal-without-runsv"),
    ],
)
def test_services(ground: Ground, states: dict[str, str], words: str, code: int, lines: int) -> None:
    ground.play.states.update(states)
    found, out, err = ground.ctl(*words.split())
    assert (found, len(out.splitlines()), err) == (code, lines, "")


def test_services_come_in_order_of_the_alphabet(ground: Ground) -> None:
    _code, out, _err = ground.ctl("status")
    assert [line.split(":")[1].strip() for line in out.splitlines()] == sorted(ground.play.states)


def test_only_the_first_service_named_is_stopped(ground: Ground) -> None:
    ground.ctl("stop", "puma", "sidekiq")
    assert (ground.play.states["puma"], ground.play.states["sidekiq"]) == ("down", "up")


@pytest.mark.parametrize(
    ("version", "given", "used"),
    [
        pytest.param("18.11.9", "4", "30", id="ignored-before"),
        pytest.param("19.0.8", "4", "30", id="ignored-up-to-19.0"),
        pytest.param("19.1.0", "4", "4", id="honoured-from-19.1.0"),
        pytest.param("19.1.0", "", "30", id="default"),
    ],
)
def test_svwait(ground: Ground, monkeypatch: pytest.MonkeyPatch, version: str, given: str, used: str) -> None:
    monkeypatch.setenv("SVWAIT", given)
    ground.install(version)
    ground.ctl("start", "puma")
    assert ground.play.svwait == used


@pytest.mark.parametrize(
    ("words", "code", "beginning"),
    [
        pytest.param("", 1, "I don't know that command.\nomnibus-ctl", id="none"),
        pytest.param("check", 1, "I don't know that command.\nomnibus-ctl", id="check"),
        pytest.param("up", 1, "I don't know that command.\n", id="up"),
        pytest.param("-v status", 1, "I don't know that command.\n", id="option-before-the-command"),
        pytest.param("puma stop", 1, "I don't know that command.\nDid you mean: omnibus-ctl stop puma?\n", id="turned"),
        pytest.param("help me", 2, "The command help does not accept any arguments\n", id="help-me"),
        pytest.param("upgrade x", 2, "The command upgrade does not accept any arguments\n", id="upgrade-x"),
        pytest.param("show-config -v", 2, "The command show-config does not accept any arguments\n", id="show-config"),
        pytest.param("restart-except puma", 0, "Restarting all services except: puma.\nok: run: gitaly", id="except"),
        pytest.param("restart-except nginx", 1, "Service 'nginx' not found\n", id="except-unknown"),
        pytest.param("reconfigure", 0, "Chef on dna.json\ngitlab Reconfigured!\n", id="reconfigure"),
        pytest.param("upgrade-check 18.8.11 19.2.2", 0, "", id="upgrade-check-fine"),
        pytest.param("upgrade-check", 0, "", id="upgrade-check-without-arguments"),
        pytest.param("deploy-page status", 0, "Deploy page is down\n", id="deploy-page"),
        pytest.param("deploy-page", 1, "Usage:", id="deploy-page-usage"),
    ],
)
def test_commands(ground: Ground, words: str, code: int, beginning: str) -> None:
    found, out, err = ground.ctl(*words.split())
    assert (found, err) == (code, "")
    assert out.startswith(beginning)


def test_reconfigure_fails_with_1_whatever_chef_says(ground: Ground) -> None:
    ground.play.chef_code = 37
    assert ground.ctl("reconfigure") == (1, "Chef on dna.json\n", "")


def test_reconfigure_is_roots(ground: Ground) -> None:
    ground.is_root = False
    assert ground.ctl("reconfigure") == (1, "This command must be executed as root user\n", "")


@pytest.mark.parametrize(
    ("old", "new", "link"),
    [
        pytest.param("18.5.7", "18.11.9", "#upgrade-paths", id="same-major"),
        pytest.param("17.11.7", "18.11.9", "index.html#upgrading-to-a-new-major-version", id="other-major"),
    ],
)
def test_upgrade_check_refuses_on_stderr(ground: Ground, old: str, new: str, link: str) -> None:
    code, out, err = ground.ctl("upgrade-check", old, new)
    assert (code, out) == (1, "")
    before = ".".join(old.split(".")[:2])
    assert err == (
        f"It seems you are upgrading from {before} to 18.11.\n"
        "It is required to upgrade to the latest 18.8.x version first before proceeding.\n"
        f"Please follow the upgrade documentation at https://docs.gitlab.com/ee/update/{link}\n"
    )


def test_upgrade_check_knows_only_the_installed_constant(ground: Ground) -> None:
    """18.8.11 lets 18.8.11 -> 19.2.2 pass: it is no plan (observed 5)."""
    ground.install("18.8.11")
    assert ground.ctl("upgrade-check", "18.8.11", "19.2.2") == (0, "", "")


def test_show_config_takes_the_node_json_away(ground: Ground) -> None:
    code, out, _err = ground.ctl("show-config")
    assert (code, json.loads(out)) == (0, {"external_url": "http://gitlab.corp.test"})
    assert not ground.places.nodes.exists()


def test_diff_config_is_no_judgement(ground: Ground) -> None:
    code, out, _err = ground.ctl("diff-config")
    assert (code, out) == (
        1,
        "Could not find '/opt/gitlab/etc/gitlab.rb.template' file. Is your package installed correctly?\n",
    )
    ground.put("opt/gitlab/etc/gitlab.rb.template", "external_url 'other'\n")
    code, out, _err = ground.ctl("diff-config")
    assert code == 0
    assert "-external_url 'http://gitlab.corp.test'" in out
    assert "+external_url 'other'" in out


def test_the_deploy_page_goes_up_and_down(ground: Ground) -> None:
    assert ground.ctl("deploy-page", "up") == (0, "Deploy page is up\n", "")
    assert ground.ctl("deploy-page", "down") == (0, "Deploy page is down\n", "")

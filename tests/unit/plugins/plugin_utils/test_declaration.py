# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every fault of a declaration is named with its path, all of them at once and before anything is done."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _coerce, _config_check, _declaration
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _config_schema as schema

GOOD = {"name": "a", "executor": "shell", "runner_type": "instance_type"}


def declared(*runners: t.Mapping[str, t.Any], **options: t.Any) -> list[_declaration.Declared]:
    return _declaration.declarations(list(runners), **{"defaults": {}, "url": "https://g", **options})


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        pytest.param(
            {"name": None}, r"runners\[0\]\.name is missing: it is how the entry is found again", id="no-name"
        ),
        pytest.param({"name": "  "}, r"\.name is missing", id="blank-name"),
        pytest.param({"runner_type": "group"}, r"\.runner_type is 'group'; use one of instance_type, group", id="type"),
        pytest.param({"access_level": "x"}, r"\.access_level is 'x'; use one of not_protected", id="access-level"),
        pytest.param({"state": "gone"}, r"\.state is 'gone'; use one of present, absent", id="state"),
        pytest.param({"group_id": "x"}, r"\.group_id must be an integer, but it is 'x'", id="group-id"),
        pytest.param({"paused": 1}, r"\.paused must be true or false, but it is 1", id="paused"),
        pytest.param({"tag_list": "a,b"}, r"\.tag_list must be a list of strings, but it is 'a,b'", id="tags"),
        pytest.param({"tag_list": ["a", 9]}, r"\.tag_list must be a list of strings; quote the numbers", id="tag"),
        pytest.param({"tag_list": ["t"] * 51}, r"\.tag_list has 51 tags; GitLab takes 50", id="many-tags"),
        pytest.param({"run_untagged": False}, r"no tag_list and run_untagged is false: no job would", id="no-job-fits"),
        pytest.param({"maximum_timeout": 599}, r"maximum_timeout is 599 seconds; GitLab takes 600", id="timeout"),
        pytest.param({"maximum_timeout": True}, r"\.maximum_timeout must be an integer", id="timeout-true"),
        pytest.param({"description": "d" * 1025}, r"\.description is longer than 1024 characters", id="description"),
        pytest.param({"maintenance_note": "d" * 1025}, r"\.maintenance_note is longer than 1024", id="note"),
        pytest.param({"runner_type": "group_type"}, r"\.group_id is missing: runner_type group_type needs", id="group"),
        pytest.param({"runner_type": "project_type"}, r"\.project_id is missing: runner_type project_", id="project"),
        pytest.param({"group_id": 4}, r"\.group_id does not go with runner_type instance_type", id="owner-too-many"),
        pytest.param({"token": "glrt-12345678"}, r"\.token is cut off.*before 18\.2 crashes", id="short-token"),
        pytest.param({"token": " glrt-123456789"}, r"\.token must be .* without spaces around", id="spaced-token"),
        pytest.param({"token": "glpat-abcdefghijkl"}, r"\.token is an access or registration token", id="access-token"),
        pytest.param({"token": "GR1348941abcdefgh"}, r"\.token is an access or registration token", id="registration"),
        pytest.param(
            {"executer": "x"},
            r"\.executer is neither .* nor a key of \[\[runners\]\]; did you mean executor\?",
            id="unknown",
        ),
        pytest.param({"executor": None}, r"\.executor is missing; use one of shell", id="no-executor"),
        pytest.param({"executor": "dockr"}, r"\.executor is 'dockr', which no gitlab-runner knows", id="executor"),
        pytest.param({"executor": "docker+autoscaler"}, r"which no gitlab-runner knows", id="documented-by-mistake"),
        pytest.param({"executor": "docker"}, r"\.docker\.image is missing: executor docker needs it", id="image"),
        pytest.param(
            {"executor": "custom", "builds_dir": "/b", "cache_dir": "/c"},
            r"\.custom\.run_exec is missing",
            id="run_exec",
        ),
        pytest.param(
            {"executor": "custom", "custom": {"run_exec": "x"}, "cache_dir": "/c"},
            r"\.builds_dir is missing",
            id="builds_dir",
        ),
        pytest.param({"executor": "instance"}, r"\.autoscaler\.plugin is missing", id="plugin"),
        pytest.param({"executor": "parallels"}, r"\.parallels\.base_name is missing", id="base_name"),
        pytest.param({"id": 4}, r"\.id is written by gitlab-runner itself", id="runner-written"),
        pytest.param({"url": "http://$HOST"}, r"\.url holds a \$", id="dollar-url"),
        pytest.param({"token": "glrt-$TOKEN0000"}, r"\.token holds a \$", id="dollar-token"),
        pytest.param(
            {"docker": {"imag": "x"}},
            r"\.docker\.imag is no key of config\.toml; did you mean image\?",
            id="unknown-below",
        ),
        pytest.param(
            {"autoscaler": {"policy": [{"idle_count": "x"}]}},
            r"\.autoscaler\.policy\[0\]\.idle_count must be an integer, but 'x' is a string",
            id="in-a-list",
        ),
        pytest.param(
            {"unhealthy_interval": 60}, r'\.unhealthy_interval must be a duration such as "30s"', id="bare-number"
        ),
        pytest.param({"limit": 1.5}, r"\.limit must be an integer, but 1\.5 is a number", id="float"),
        pytest.param(
            {"environment": "A=b"},
            r"\.environment must be a list of strings, but its value is a string",
            id="secret-value-unshown",
        ),
        pytest.param(
            {"cache": {"s3": {"bucketname": "x"}}}, r"\.cache\.s3\.bucketname is no key.*BucketName", id="case"
        ),
    ],
)
def test_faults(changes: dict[str, t.Any], fault: str) -> None:
    with pytest.raises(_declaration.DeclarationError, match=f"^Nothing was changed: .*{fault}"):
        declared({**GOOD, **changes})


def test_all_faults_come_at_once() -> None:
    with pytest.raises(_declaration.DeclarationError) as error:
        declared({**GOOD, "limit": "x"}, {**GOOD, "name": "b", "executor": "docker"}, {"executor": "shell"})
    for part in ("runners[a].limit", "runners[b].docker.image", "runners[2].name"):
        assert part in str(error.value)
    with pytest.raises(_declaration.DeclarationError, match=r"\(and 5 more\)$"):
        declared(*({**GOOD, "limit": "x"} for _number in range(25)))


@pytest.mark.parametrize(
    ("second", "fault"),
    [
        pytest.param({"name": "a"}, "the name 'a' is declared twice", id="name"),
        pytest.param({"name": "b", "token": "glrt-same00000"}, "'a' and 'b' have the same token", id="token"),
    ],
)
def test_double(second: dict[str, t.Any], fault: str) -> None:
    with pytest.raises(_declaration.DeclarationError, match=fault) as error:
        declared({**GOOD, "token": "glrt-same00000"}, {**GOOD, **second})
    assert "glrt-same" not in str(error.value)


def test_url_is_needed() -> None:
    with pytest.raises(_declaration.DeclarationError, match=r"runners\[a\]\.url is missing"):
        declared(GOOD, url=None)
    assert declared({**GOOD, "url": "http://u"}, url=None)[0].config["url"] == "http://u"


def test_one_entry_is_split_into_both_sides() -> None:
    defaults = {"executor": "docker", "docker": {"image": "x"}, "paused": False, "limit": 1}
    (one,) = declared({"name": "a", "limit": "4", "paused": "yes", "token": "glrt-000000000"}, defaults=defaults)
    assert one.api == {"paused": True, "description": "a"}
    assert one.config == {"executor": "docker", "docker": {"image": "x"}, "limit": 4, "url": "https://g"}
    entry = one.entry({"id": 5}, rotate=True)
    assert (entry.name, entry.written, entry.rotate) == ("a", {"token": "glrt-000000000", "id": 5}, True)
    assert "glrt-" not in repr(one) + repr(entry)


def test_what_goes_needs_no_more_than_its_name() -> None:
    assert declared({"name": "a", "state": "absent"}, url=None)[0].state == "absent"


def test_unknown_keys_on_request() -> None:
    (one,) = declared({**GOOD, "new_key": 1}, allow_unknown_keys=True)
    assert one.config["new_key"] == 1


@pytest.mark.parametrize(
    ("table", "turned"),
    [
        pytest.param({"limit": "4", "output_limit": "-1"}, {"limit": 4, "output_limit": -1}, id="integers"),
        pytest.param({"limit": "4.5", "output_limit": "x"}, {"limit": "4.5", "output_limit": "x"}, id="no-integers"),
        pytest.param(
            {"proxy_exec": "Yes", "clean_git_config": "off"},
            {"proxy_exec": True, "clean_git_config": False},
            id="booleans",
        ),
        pytest.param({"proxy_exec": "1"}, {"proxy_exec": "1"}, id="no-boolean"),
        pytest.param({"name": "4", "url": "true"}, {"name": "4", "url": "true"}, id="strings-stay"),
        pytest.param({"feature_flags": {"FF_A": "true"}}, {"feature_flags": {"FF_A": True}}, id="flags"),
        pytest.param(
            {"autoscaler": {"policy": [{"idle_count": "2", "scale_factor": "0.5"}]}},
            {"autoscaler": {"policy": [{"idle_count": 2, "scale_factor": 0.5}]}},
            id="deep",
        ),
        pytest.param({"unknown": "4", "limit": None}, {"unknown": "4", "limit": None}, id="unknown-and-null"),
    ],
)
def test_words_are_turned_into_their_types(table: dict[str, t.Any], turned: dict[str, t.Any]) -> None:
    assert _coerce.coerced(table, schema.RUNNER) == turned


@pytest.mark.parametrize(
    ("settings", "faults"),
    [
        pytest.param({"concurrent": 1, "check_interval": 0, "log_level": None}, [], id="good"),
        pytest.param({"concurrent": 0}, ["settings.concurrent is 0: the daemon ends itself"], id="0"),
        pytest.param({"concurrent": -1}, ["settings.concurrent is -1"], id="negative"),
        pytest.param({"concurrent": True}, ["settings.concurrent must be an integer, but True is true or"], id="true"),
        pytest.param(
            {"concurent": 1}, ["settings.concurent is no key of config.toml; did you mean concurrent?"], id="near"
        ),
        pytest.param({"zzz": 1}, ["settings.zzz is no key of config.toml."], id="far"),
        pytest.param({"runners": []}, ["settings.runners belongs into the option runners"], id="runners"),
        pytest.param(
            {"session_server": {"session_timeout": "x"}},
            ["settings.session_server.session_timeout must be an"],
            id="below",
        ),
        pytest.param(
            {"session_server": "x"}, ["settings.session_server must be a table, but 'x' is a string"], id="table"
        ),
        pytest.param({"connection_max_age": "15"}, ["settings.connection_max_age must be a duration"], id="duration"),
        pytest.param({"labels": {"a": 1}}, ["settings.labels must be a table of strings"], id="map"),
    ],
)
def test_settings(settings: dict[str, t.Any], faults: list[str]) -> None:
    found = list(_config_check.settings_problems(settings))
    assert len(found) == len(faults)
    assert all(text.startswith(fault) for text, fault in zip(found, faults))


def test_unknown_keys_of_a_file_are_named_as_lint_names_them() -> None:
    config = {"Concurrent": 1, "x": 1, "runners": [{"name": "a", "y": 1, "docker": {"z": 1, "IMAGE": "i"}}]}
    assert list(_config_check.unknown_keys(config, schema.GLOBAL)) == ["x", "runners.y", "runners.docker.z"]


def test_a_dollar_in_the_common_url_is_refused() -> None:
    with pytest.raises(_declaration.DeclarationError, match=r"url holds a \$"):
        declared(GOOD, url="https://$HOST")

# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's half of a write: linted, written once, loaded by the daemon, and a conflict is an answer."""

from __future__ import annotations

import hashlib
import pathlib
import typing as t

import pytest

pytest.importorskip("ansible.module_utils.basic")
write_module = pytest.importorskip(
    "ansible_collections.fleetwright.gitlab_aws.plugins.modules.gitlab_runner_config_write"
)

OLD, NEW = "concurrent = 1\n", "concurrent = 2\n"


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    file = tmp_path / "config.toml"
    file.write_text(OLD)
    return file


@pytest.fixture
def lint(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gitlab-runner on the path."""
    program = tmp_path / "bin" / "gitlab-runner"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))


def params(path: pathlib.Path, **changes: t.Any) -> dict[str, t.Any]:
    known = {
        "path": str(path),
        "content": NEW,
        "expect_sha256": hashlib.sha256(OLD.encode()).hexdigest(),
        "backup_count": 1,
        "service": "x",
        "allowed_unknown_keys": [],
    }
    return {**known, **changes}


def answers(status: int = 0, errors: str = "") -> t.Callable[[t.Sequence[str]], tuple[int, str, str]]:
    return lambda argv: (status, "", errors) if "lint" in argv else (0, "", "")


def test_written_with_a_backup(path: pathlib.Path) -> None:
    result = write_module.write(answers(), params(path))
    assert path.read_text() == NEW
    assert pathlib.Path(result.pop("backup_file")).read_text() == OLD
    assert result == {"changed": True, "conflict": False, "merged": False, "overwritten": False, "reloaded": False}


def test_a_conflict_is_an_answer(path: pathlib.Path) -> None:
    path.write_text("concurrent = 3\n")
    result = write_module.write(answers(), params(path))
    assert result == {"changed": False, "conflict": True, "merged": False, "overwritten": False, "reloaded": False}
    assert path.read_text() == "concurrent = 3\n"


@pytest.mark.parametrize(
    ("theirs", "left"),
    [
        pytest.param(
            "concurrent = 1\n# x\nlog_level = 'warn'\n", "concurrent = 2\n# x\nlog_level = 'warn'\n", id="both"
        ),
        pytest.param("concurrent = 3\n# x\nlog_level = 'info'\n", None, id="same-line"),
        pytest.param(None, None, id="gone"),
    ],
)
def test_somebody_elses_change_is_kept_beside_ours(
    path: pathlib.Path, theirs: t.Optional[str], left: t.Optional[str]
) -> None:
    base = "concurrent = 1\n# x\nlog_level = 'info'\n"
    given = params(path, base=base, content=base.replace("1", "2"))
    if theirs is None:
        path.unlink()
        path.with_name("other").write_text("")
    else:
        path.write_text(theirs)
    result = write_module.write(answers(), given)
    assert (result["conflict"], result["merged"], result["overwritten"]) == (left is None, left is not None, False)
    assert (path.read_text() if path.exists() else None) == (left or theirs)


def test_overwritten_after_the_reload_is_seen(path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token rotation of an old daemon writes its memory over the edit (runner facts 0.2)."""

    def reload(*_arguments: object) -> bool:
        path.write_text(OLD)
        return True

    monkeypatch.setattr(write_module._runner_host, "reload", reload)
    result = write_module.write(answers(), params(path))
    assert (result["reloaded"], result["overwritten"]) == (True, True)


@pytest.mark.usefixtures("lint")
@pytest.mark.parametrize(
    ("errors", "allowed", "words"),
    [
        pytest.param("  unknown key: a.b\n", [], "unknown keys a.b", id="unknown-key"),
        pytest.param("  unknown key: a.b\n  unknown key: c\n", ["c"], "unknown keys a.b$", id="one-allowed"),
        pytest.param("FATAL: decoding config: toml: x\n", ["a"], "FATAL: decoding config", id="broken"),
        pytest.param("  unknown key: a.b\n", ["a.b"], None, id="allowed"),
        pytest.param("FATAL: Command lint not found.\n", [], None, id="no-lint"),
    ],
)
def test_lint_decides_before_anything_is_written(
    path: pathlib.Path, errors: str, allowed: list[str], words: t.Optional[str]
) -> None:
    given = params(path, allowed_unknown_keys=allowed)
    if words is None:
        assert write_module.write(answers(1, errors), given)["changed"]
        return
    with pytest.raises(ValueError, match=words):
        write_module.write(answers(1, errors), given)
    assert path.read_text() == OLD
    assert list(path.parent.glob("*.bak")) == []

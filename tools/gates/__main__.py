# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the gates of one part or of all (``python -m gates lint|unit|sanity|molecule|test``), or build the collection."""

from __future__ import annotations

import collections.abc
import dataclasses
import sys
import time
import typing as t

from gates import collection, environments, lint, molecule, outcome, sanity, templates, unit


@dataclasses.dataclass(frozen=True)
class Gate:
    name: str
    run: t.Callable[[], outcome.Outcome]


PARTS: dict[str, tuple[Gate, ...]] = {
    "lint": (
        Gate("yamllint", outcome.command("yamllint", "--strict", "--config-file", ".config/yamllint.yml", ".")),
        Gate("ruff check", outcome.command("ruff", "check", ".")),
        Gate("ruff format", outcome.command("ruff", "format", "--check", "--output-format", "concise", ".")),
        Gate("shellcheck", lint.shellcheck),
        Gate("mypy --strict", lint.mypy),
        Gate("antsibull-changelog", outcome.command("antsibull-changelog", "lint")),
        Gate("no sanity ignores", lint.no_sanity_ignores),
        Gate("ansible-lint", outcome.command("ansible-lint", "--offline", "--strict")),
        Gate("galaxy-importer", lint.galaxy_importer),
        Gate("cfn-lint", templates.cfn_lint),
        Gate("checkov", templates.checkov),
        Gate("parliament", templates.parliament),
    ),
    "unit": (Gate("pytest", unit.controller), Gate("pytest, Python 3.9", unit.oldest_host)),
    "sanity": (
        Gate("ansible-test sanity", sanity.controller),
        Gate("ansible-test sanity, Python 3.9", sanity.oldest_host),
    ),
    "molecule": (Gate("molecule", molecule.run),),
}


def run_gate(gate: Gate) -> outcome.Outcome:
    """Run one gate and say how it went; one that breaks is one that failed."""
    started = time.monotonic()
    print(f"  {gate.name} ...", flush=True)
    try:
        found = gate.run()
    except (OSError, environments.EnvironmentFailed) as error:
        found = outcome.judged(False, str(error))
    if found.failed and found.text:
        print(found.text.rstrip())
    verdict = "FAILED" if found.failed else "ok" if found.passed else "not run"
    note = f" ({found.note})" if found.note else ""
    print(f"  {gate.name}: {verdict}{note}, {time.monotonic() - started:.1f} s", flush=True)
    return found


def run_part(part: str) -> tuple[outcome.Outcome, str]:
    """Run every gate of a part; return what they found, and that as a line."""
    started = time.monotonic()
    print(f"{part}:", flush=True)
    total = sum((run_gate(gate) for gate in PARTS[part]), outcome.Outcome())
    return total, f"{part:<10}{total.passed:>6} passed,{total.failed:>4} failed {time.monotonic() - started:>8.1f} s"


def run_parts(parts: collections.abc.Iterable[str]) -> int:
    results = [run_part(part) for part in parts]
    total = sum((found for found, _line in results), outcome.Outcome())
    print("\n" + "\n".join(line for _found, line in results))
    print(f"{total.passed} passed, {total.failed} failed", flush=True)
    return int(total.failed > 0)


def main(argv: list[str]) -> int:
    if argv == ["collection"]:
        return collection.main()
    if argv == ["test"]:
        return run_parts(PARTS)
    if len(argv) != 1 or argv[0] not in PARTS:
        print(f"usage: python -m gates {'|'.join(PARTS)}|test|collection", file=sys.stderr)
        return 2
    return run_parts(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many hosts of a fleet may be away at a time, as people and AWX surveys write it: pure functions."""

from __future__ import annotations

import re
import typing as t

# One host first, then a quarter of the fleet at a time.
CAREFUL: tuple[int | str, ...] = (1, "25%")


def batches(said: t.Any) -> list[int | str]:
    """What `serial` takes, from a count, a share, or several of both: 2, '25%', [1, '25%'], '1, 25%', '[1, "25%"]'.

    Nothing said (a survey's empty answer) is CAREFUL.

    Raises ValueError for what is neither. Ansible itself would take a 0 for every host at once.
    """
    if said == "":
        return list(CAREFUL)
    if isinstance(said, (list, tuple)):
        words = [str(one) for one in said]
    else:
        words = [word for word in re.split(r"[\s,\[\]'\"]+", str(said)) if word]
    if not words:
        raise ValueError(_wrong(said))
    return [_one(word.strip(), said) for word in words]


def _one(word: str, said: t.Any) -> int | str:
    found = re.fullmatch(r"([1-9][0-9]*)(%?)", word)
    if not found or (found[2] and int(found[1]) > 100):
        raise ValueError(_wrong(said))
    return word if found[2] else int(word)


def _wrong(said: t.Any) -> str:
    return (
        f"gitlab_runner_serial is {said!r}. Nothing was changed. Give how many hosts may be away at a time: a count "
        "(2), a share of the fleet (25%), or several of them, one for each batch, the last for all that follow (1,25%)."
    )

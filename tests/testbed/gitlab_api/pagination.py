# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages: offset with and without totals, and keyset for jobs (API facts 1.3)."""

from __future__ import annotations

import base64
import binascii
import json
import typing as t
import urllib.parse

from .errors import ApiError, Headers, bad_parameters
from .store import Row
from .web import Response, json_response

if t.TYPE_CHECKING:
    from .app import Call

_MOST = 100


def _number(call: Call, name: str, default: int) -> int:
    text = str(call.request.query_params.get(name) or default)
    if not text.isdigit():
        raise bad_parameters(f"{name} is invalid")
    if int(text) == 0:
        raise bad_parameters(f"{name} does not have a valid value")
    return int(text)


def _url(call: Call, **changes: t.Any) -> str:
    """Return the call's own URL with other parameters; path parameters stand among them, sorted by name."""
    params: dict[str, t.Any] = {**call.path, **call.request.query_params, **changes}
    params.pop("private_token", None)
    pairs: list[tuple[str, str]] = []
    for name, value in sorted(params.items()):
        if isinstance(value, list):
            pairs += [(f"{name}[]", str(part)) for part in value]
        else:
            pairs.append((name, str(value)))
    return f"{call.twin.external_url}{call.request.path}?{urllib.parse.urlencode(pairs)}"


def _link(call: Call, page: int, per_page: int, pages: int | None, more: bool) -> str:
    targets: list[tuple[str, int]] = []
    if page > 1:
        targets.append(("prev", page - 1))
    if more:
        targets.append(("next", page + 1))
    targets.append(("first", 1))
    if pages is not None:
        targets.append(("last", pages))
    return ", ".join(f'<{_url(call, page=number, per_page=per_page)}>; rel="{rel}"' for rel, number in targets)


def paginated(call: Call, rows: t.Sequence[Row], view: t.Callable[[Row], t.Any], *, counted: bool = True) -> Response:
    """Answer one page of these rows; only the page's rows are shaped."""
    page, per_page = _number(call, "page", 1), min(_number(call, "per_page", 20), _MOST)
    start = (page - 1) * per_page
    total = len(rows)
    counted = counted and total <= call.twin.settings["count_limit"]
    pages = max(-(-total // per_page), 1)
    more = start + per_page < total
    headers: list[tuple[str, str]] = [
        ("X-Per-Page", str(per_page)),
        ("X-Page", str(page)),
        ("X-Next-Page", str(page + 1) if more else ""),
        ("X-Prev-Page", str(page - 1) if page > 1 else ""),
        ("Link", _link(call, page, per_page, pages if counted else None, more)),
    ]
    if counted:
        headers += [("X-Total", str(total)), ("X-Total-Pages", str(pages))]
    return json_response(200, [view(row) for row in rows[start : start + per_page]], tuple(headers))


def wants_keyset(call: Call) -> bool:
    return call.request.query_params.get("pagination") == "keyset"


def keyset(call: Call, rows: t.Sequence[Row], view: t.Callable[[Row], t.Any]) -> Response:
    """Answer the page behind the cursor; only `id desc` is there for jobs."""
    query = call.request.query_params
    if query.get("order_by", "id") != "id" or query.get("sort", "desc") != "desc":
        raise ApiError(405, {"error": "Keyset pagination is not yet available for this type of request"})
    per_page = min(_number(call, "per_page", 20), _MOST)
    if query.get("cursor"):
        before = _from_cursor(str(query["cursor"]))
        rows = [row for row in rows if row["id"] < before]
    shown = rows[:per_page]
    headers: Headers = ()
    if len(rows) > per_page:
        url = _url(call, cursor=_cursor(shown[-1]["id"]), per_page=per_page)
        headers = (("Link", f'<{url}>; rel="next"'),)
    return json_response(200, [view(row) for row in shown], headers)


def _cursor(row_id: int) -> str:
    return base64.urlsafe_b64encode(json.dumps({"id": str(row_id), "_kd": "n"}).encode()).decode()


def _from_cursor(text: str) -> int:
    try:
        return int(json.loads(base64.urlsafe_b64decode(text))["id"])
    except (ValueError, KeyError, TypeError, binascii.Error) as exc:
        raise bad_parameters("cursor is invalid") from exc

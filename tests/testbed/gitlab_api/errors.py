# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers that are not a success, in GitLab's shapes and words (API facts 1.2)."""

from __future__ import annotations

import typing as t

Headers = tuple[tuple[str, str], ...]


class ApiError(Exception):
    """Ends a call with this status, JSON body and headers."""

    def __init__(self, status: int, body: t.Any, headers: Headers = ()) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body
        self.headers = headers


def message(status: int, text: t.Any, headers: Headers = ()) -> ApiError:
    """Return GitLab's own kind of error."""
    return ApiError(status, {"message": text}, headers)


def bad_parameters(*faults: str) -> ApiError:
    """Return the parameter check's kind of error."""
    return ApiError(400, {"error": ", ".join(faults)})


def bad_request(reason: str) -> ApiError:
    return message(400, f"400 Bad request - {reason}")


def no_route() -> ApiError:
    """Return what a path that this version lacks gets."""
    return ApiError(404, {"error": "404 Not Found"})


def unauthorized() -> ApiError:
    return message(401, "401 Unauthorized")


def invalid_token(description: str) -> ApiError:
    return ApiError(401, {"error": "invalid_token", "error_description": description})


def insufficient_scope(scopes: t.Iterable[str]) -> ApiError:
    text = "The request requires higher privileges than provided by the access token."
    return ApiError(403, {"error": "insufficient_scope", "error_description": text, "scope": " ".join(scopes)})


def forbidden(reason: str = "", headers: Headers = ()) -> ApiError:
    return message(403, f"403 Forbidden - {reason}" if reason else "403 Forbidden", headers)


def not_found(what: str = "") -> ApiError:
    """Return 404; without a name it has GitLab's small f."""
    return message(404, f"404 {what} Not Found" if what else "404 Not found")


def invalid(faults: t.Mapping[str, t.Sequence[str]]) -> ApiError:
    """Return the model validation's kind of error."""
    return message(400, dict(faults))


def too_many(retry_after: bool) -> ApiError:
    """Return the application limit's answer (API facts 1.4)."""
    text = "This endpoint has been requested too many times. Try again later."
    return message(429, {"error": text}, (("Retry-After", "60"),) if retry_after else ())

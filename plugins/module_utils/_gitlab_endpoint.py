# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where GitLab answers, and what a connection to it needs: TLS and the proxy."""

from __future__ import annotations

import base64
import dataclasses
import ssl
import urllib.parse
import urllib.request

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_errors import GitLabError


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """Where GitLab answers and how to reach it.

    api_url is GitLab's base URL, with or without C(/api/v4); timeout is in seconds.
    """

    api_url: str
    api_token: str | None = dataclasses.field(default=None, repr=False)
    validate_certs: bool = True
    ca_path: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    timeout: float = 30.0

    @property
    def base(self) -> str:
        url = self.api_url.rstrip("/")
        return (url[: -len("/api/v4")] if url.endswith("/api/v4") else url) + "/api/v4"


def tls_remedy(exc: Exception) -> str | None:
    """What to do about a TLS connection that did not come about; None for another failure."""
    text = str(exc).lower()
    if not isinstance(exc, ssl.SSLError):
        return None
    if "mismatch" in text or "not valid for" in text:
        return "Set api_url to the name that GitLab's certificate is made for."
    if "alert" in text and ("certificate" in text or "handshake" in text) and "unknown ca" not in text:
        return "GitLab, or what stands before it, asks for a client's certificate: Set client_cert and client_key."
    return "Set ca_path to the certificate authority that signed GitLab's certificate."


def proxy_for(base: urllib.parse.SplitResult) -> urllib.parse.SplitResult | None:
    """The proxy that the environment (http_proxy, https_proxy, no_proxy) names for GitLab, if any."""
    proxy = urllib.request.getproxies().get(base.scheme)
    if not proxy or urllib.request.proxy_bypass(base.netloc):
        return None
    return urllib.parse.urlsplit(proxy if "//" in proxy else f"http://{proxy}")


def proxy_login(proxy: urllib.parse.SplitResult) -> dict[str, str]:
    """The header that a proxy with a user and a password in its URL asks for."""
    if proxy.username is None:
        return {}
    login = f"{urllib.parse.unquote(proxy.username)}:{urllib.parse.unquote(proxy.password or '')}"
    return {"Proxy-Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"}


def tls_context(endpoint: Endpoint) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=endpoint.ca_path)
        if endpoint.client_cert:
            context.load_cert_chain(endpoint.client_cert, endpoint.client_key)
    except OSError as exc:
        raise GitLabError(
            "prepare TLS",
            0,
            f"{type(exc).__name__}: {exc}",
            f"Check that ca_path ({endpoint.ca_path}), client_cert ({endpoint.client_cert}) and client_key "
            f"({endpoint.client_key}) name readable PEM files on this machine.",
        ) from exc
    if not endpoint.validate_certs:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context

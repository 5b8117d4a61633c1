# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server: moto's own applications with the additions, and the switches under /-/twin/ that no AWS has."""

from __future__ import annotations

import functools
import json
import threading
import typing as t

import boto3
from moto.cloudformation import urls as cloudformation_urls
from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.servicequotas import urls as servicequotas_urls
from werkzeug.serving import make_server

from testbed.aws import network, resources, s3, stack_drift, timeline
from testbed.aws.quotas import Quotas
from testbed.aws.stacks import Stacks
from testbed.aws.steering import STEERING

# Long and unlikely: with a short one, no_log would mask half of every result.
CREDENTIALS = {
    "aws_access_key_id": "AKIATESTBEDFLEETWRIGHT",
    "aws_secret_access_key": "testbed/fleetwright/this-is-nobodys-secret-key",
}
REGION = "eu-central-1"
Json = dict[str, t.Any]


def environment(url: str) -> dict[str, str]:
    """The variables in which amazon.aws's modules and plugins, and boto3 itself, find this server."""
    credentials = {name.upper(): value for name, value in CREDENTIALS.items()}
    return {**credentials, "AWS_URL": url, "AWS_ENDPOINT_URL": url, "AWS_REGION": REGION}


@functools.cache
def install() -> None:
    """Put the additions into moto; once a process."""
    resources.install()
    cloudformation_urls.url_paths["{0}/$"] = Stacks.dispatch
    servicequotas_urls.url_paths["{0}/$"] = Quotas.dispatch


def reset() -> None:
    """Empty every account and turn every switch back."""
    timeline.forget()
    stack_drift.DETECTIONS.clear()
    moto_api_backend.reset()
    STEERING.reset()


class Application:
    """A WSGI application: AWS, and the switches beside it."""

    def __init__(self) -> None:
        install()
        self._aws = DomainDispatcherApplication(create_backend_app)
        self.url = ""

    def __call__(self, environ: Json, start_response: t.Any) -> t.Iterable[bytes]:
        path = str(environ.get("PATH_INFO", ""))
        if not path.startswith("/-/twin/"):
            if s3.is_about_parts(environ):
                return s3.answer(self._aws, environ, start_response)
            return t.cast("t.Iterable[bytes]", self._aws(environ, start_response))
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = json.loads(environ["wsgi.input"].read(length) or b"{}")
        status, answer = self._switch(path.removeprefix("/-/twin/"), body)
        start_response(status, [("Content-Type", "application/json")])
        return [json.dumps(answer).encode()]

    def _switch(self, name: str, body: Json) -> tuple[str, Json]:
        if name == "reset":
            reset()
            return "200 OK", {}
        if name == "steering":
            try:
                STEERING.set(body)
            except ValueError as exc:
                return "400 Bad Request", {"error": str(exc)}
            return "200 OK", {}
        if name == "network":
            ec2 = boto3.client("ec2", endpoint_url=self.url, region_name=body.pop("region", REGION), **CREDENTIALS)
            return "200 OK", network.lay(ec2, **body)
        return "404 Not Found", {"error": f"no switch {name}: there are reset, steering and network"}


def serve(address: str, port: int) -> None:
    """Serve until the process ends."""
    application = Application()
    application.url = f"http://{address}:{port}"
    make_server(address, port, application, threaded=True).serve_forever()


class AwsServer:
    """The server in a thread of this process, on a port of its own."""

    def __init__(self) -> None:
        application = Application()
        self._server = make_server("127.0.0.1", 0, application, threaded=True)
        self.url = application.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> AwsServer:
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def client(self, service: str, region: str = REGION, **credentials: str) -> t.Any:
        """A boto3 client of this server."""
        session = boto3.session.Session(**{**CREDENTIALS, **credentials})
        return session.client(service, endpoint_url=self.url, region_name=region)

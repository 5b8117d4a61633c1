# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that a genuine gitlab-runner saved, byte for byte (observed 3)."""

from __future__ import annotations

GLOBAL_A = """\
concurrent = 1
check_interval = 0
shutdown_timeout = 0

[session_server]
  session_timeout = 1800
"""
ENTRY = """
[[runners]]
  name = "{name}"
  url = "http://127.0.0.1:8081"
  id = 42
  token = "glrt-ok00000000000000AA"
  token_obtained_at = 2026-11-24T07:03:18Z
  token_expires_at = 0001-01-01T00:00:00Z
  executor = "{executor}"
  [runners.cache]
    MaxUploadedArchiveSize = 0
    [runners.cache.s3]
    [runners.cache.gcs]
    [runners.cache.azure]
"""
DOCKER = """\
  [runners.docker]
    tls_verify = false
    image = "alpine:3"
    privileged = false
    disable_entrypoint_overwrite = false
    oom_kill_disable = false
    disable_cache = false
    volumes = ["/cache"]
    shm_size = 0
    network_mtu = 0
"""
# by `register`
A = GLOBAL_A + ENTRY.format(name="one", executor="shell")
# by a second one
B = (
    GLOBAL_A.replace("check_interval = 0\n", 'check_interval = 0\nconnection_max_age = "15m0s"\n')
    + ENTRY.format(name="one", executor="shell")
    + ENTRY.format(name="two", executor="docker").replace("AA", "BB").replace("42", "43")
    + DOCKER
)
# by a token rotation
C = """\
concurrent = 9
check_interval = 1
connection_max_age = "15m0s"
shutdown_timeout = 0

[session_server]
  session_timeout = 1800

[[runners]]
  name = "exp"
  url = "http://127.0.0.1:8370"
  id = 42
  token = "glrt-expNEW1795504158"
  token_obtained_at = 2026-11-24T07:09:18.005202446Z
  token_expires_at = 2026-11-24T07:09:38.004Z
  executor = "shell"

[[runners]]
  name = "$WHO ${WHO}"
  url = "$BASEURL"
  id = 0
  token = "$TOK"
  token_obtained_at = 0001-01-01T00:00:00Z
  token_expires_at = 0001-01-01T00:00:00Z
  executor = "shell"
  environment = ["A=$HOME"]
"""

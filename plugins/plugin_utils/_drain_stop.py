# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The moment at which a service that can't be paused is told to take no more jobs.

gitlab-runner cancels its requests for a job when it is told to stop, and a job that GitLab gives out in that moment is
lost (runner facts 3.1). So the host waits until a request has just come back empty: the next is a poll's interval away.
The daemon's metrics tell (runner facts 8); without them the signal goes out at once.
"""

from __future__ import annotations

import shlex

from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _drain
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._drain_read import FLEETING, PORTS

# Long polling keeps a request under way for 50 seconds (runner facts 10.12); with many entries there may be no moment
# without one, and then the jobs must not wait for ever.
MOMENT_SECONDS = 60
# Nobody asks for jobs when every worker has one: then there is nothing to wait for.
CALM_SECONDS = 5
# What the command exits with when the drain was undone before the moment came.
TAKEN_BACK = 3
PERMIT = "A drain waits for the moment to send SIGQUIT. Without this file it does not.\n"

_MOMENT = (
    "export LC_ALL=C\nu={unit}\n"
    + PORTS
    + r"""asked() {{
  curl -s -g -m 3 --noproxy '*' "http://$(address "$port")/metrics" 2>/dev/null | awk '
    /^gitlab_runner_request_concurrency\{{/ {{ under += $NF; known = 1 }}
    /^gitlab_runner_api_request_statuses_total\{{/ && /endpoint="request_job"/ {{
      if (/status="201"/) got += $NF; else none += $NF }}
    END {{ if (known) printf "%d %d %d", under, got, none }}'
}}
pid=$(systemctl show "$u" -p MainPID | sed 's/.*=//')
for port in $(ports "$pid"); do found=$(asked); test -z "$found" || break; done
got=; none=; now=$(date +%s); end=$((now + {seconds})); calm=$((now + {calm}))
while test -n "$found" && test "$now" -lt "$end"; do
  set -- $found
  if test "$1" != 0; then calm=$((now + {calm}))
  elif test "$2" != "$got"; then got=$2; none=$3; calm=$((now + {calm}))
  elif test "$3" -gt "$none" || test "$now" -ge "$calm"; then break
  fi
  sleep 0.02
  found=$(asked); now=$(date +%s)
done
rm {permit} 2>/dev/null || exit {taken_back}
kill -QUIT "$pid"{stop}
"""
)


# As a stop without our drop-in does it. A signal to the main process alone leaves the processes of shell jobs alive,
# and as long as one lives the end of its job is not reported (runner facts 3.1).
_ABORT = r"""u={unit}
pid=$(systemctl show "$u" -p MainPID | sed 's/.*=//')
g=$(systemctl show "$u" -p ControlGroup | sed 's/.*=//')
test "${{pid:-0}}" -gt 0 || exit 0
kill -TERM "$pid"
for f in "/sys/fs/cgroup$g/cgroup.procs" "/sys/fs/cgroup/systemd$g/cgroup.procs"; do
  test -n "$g" && test -r "$f" || continue
  while read -r p; do
    test "$p" = "$pid" && continue
    case $(cat "/proc/$p/comm" 2>/dev/null) in {plugin}*) ;; *) kill -TERM "$p" 2>/dev/null ;; esac
  done < "$f"
  break
done
exit 0
"""


def abort(service: str) -> str:
    """End the jobs: the main process first, so that it says why they end; plugins of autoscalers are its own to end."""
    return _ABORT.format(unit=shlex.quote(f"{service}.service"), plugin=FLEETING)


def permit_path(service: str) -> str:
    """Whoever removes this file decides: the host that it sends the signal, or the undoing that it does not."""
    return f"{_drain.folder(service)}/may-stop"


def command(service: str, seconds: float, *, by_hand: bool) -> str:
    """Wait up to so many seconds for the moment, then send SIGQUIT; by_hand where a stop would do more than that.

    The signal goes out before systemd is told: it would take several times as long.
    """
    unit = shlex.quote(f"{service}.service")
    return _MOMENT.format(
        unit=unit,
        seconds=max(0, min(MOMENT_SECONDS, round(seconds))),
        calm=CALM_SECONDS,
        permit=shlex.quote(permit_path(service)),
        taken_back=TAKEN_BACK,
        stop="" if by_hand else f"; systemctl stop --no-block {unit}",
    )

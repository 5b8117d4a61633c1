# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wrong inputs, and what the message must name: the thing, the place, and what to do about it.

What only a real host shows (packages, keys, disks, permissions) is in the scenario runner_bad_input.
"""

from __future__ import annotations

import dataclasses
import datetime
import typing as t

Options = dict[str, t.Any]

TOKEN = "glrt-a00000000"
START = """\
# by hand
concurrent = 1

[[runners]]
  name = "known"
  url = "http://gitlab.test"
  id = 7
  token = "glrt-known0000"
  executor = "shell"
"""
INTENTS = ".config.toml.fleetwright-intents.json"  # whether GitLab did it is not known
COPY = START[START.index("[[") :]


@dataclasses.dataclass(frozen=True)
class Case:
    """One wrong input: the task, its options, the file before it, the words that its message must hold.

    access is the access token's kind (as the test makes them), faults are the twin's; leaves names what stays
    beside the file, so that the next run knows what this one could not know. A registration_token $ is the twin's.
    """

    id: str
    words: tuple[str, ...]
    options: Options
    task: str = "gitlab_runner_config"
    file: str | bytes | None = START
    access: str = "admin"
    faults: tuple[Options, ...] = ()
    leaves: tuple[str, ...] = ()


def entry(case: str, words: t.Sequence[str], /, **fields: t.Any) -> Case:
    """One declared entry that is wrong."""
    good = {"name": "a", "executor": "shell", "token": TOKEN}
    wanted = {name: value for name, value in {**good, **fields}.items() if value != "-"}
    return Case(case, ("Nothing was changed", *words), {"runners": [wanted]})


def settings(case: str, words: t.Sequence[str], /, **keys: t.Any) -> Case:
    return Case(case, ("Nothing was changed", *words), {"settings": keys})


def registration(case: str, words: t.Sequence[str], *runners: Options, **more: t.Any) -> Case:
    """Runners that can't be registered."""
    own = {name: more.pop(name) for name in ("file", "access", "faults", "leaves") if name in more}
    good = {"executor": "shell", "runner_type": "instance_type"}
    wanted = [{**good, **runner} for runner in runners or ({"name": "a"},)]
    return Case(case, tuple(words), {"runners": wanted, **more}, "gitlab_runner_registration", **own)


DECLARED = (
    entry("no-name", ["runners[0].name is missing", "how the entry is found again"], name="-"),
    entry("blank-name", ["].name is missing"], name=" "),
    entry("no-executor", ["runners[a].executor is missing; use one of shell,"], executor="-"),
    entry("unknown-executor", ["runners[a].executor is 'docker+autoscaler'", "use one of"],
          executor="docker+autoscaler"),
    entry("image", ["runners[a].docker.image is missing: executor docker needs it; set it"], executor="docker"),
    entry("plugin", ["runners[a].autoscaler.plugin is missing", "set it"], executor="instance"),
    entry("run_exec", ["runners[a].custom.run_exec is missing", "builds_dir is missing"], executor="custom"),
    entry("ssh-host", ["runners[a].ssh.host is missing", "set it"], executor="ssh"),
    entry("text-for-integer", ["runners[a].limit must be an integer, but 'many' is a string"], limit="many"),
    entry("list-for-text", ["runners[a].builds_dir must be a string", "is a list"], builds_dir=["/b"]),
    entry("text-for-list", ["runners[a].environment must be a list of strings", "its value is a string"],
          environment="A=b"),
    entry("number-in-list", ["runners[a].docker.volumes must be a list of strings"], docker={"volumes": [1]}),
    entry("text-for-boolean", ["runners[a].docker.privileged must be true or false"], docker={"privileged": "maybe"}),
    entry("text-for-table", ["runners[a].docker must be a table, but 'x' is a string"], docker="x"),
    entry("table-for-list", ["runners[a].autoscaler.policy must be a list of tables"], autoscaler={"policy": {"a": 1}}),
    entry("deep-type", ["runners[a].docker.services[0].name must be a string"], docker={"services": [{"name": 1}]}),
    entry("integer-for-duration", ['prepare_timeout must be a duration such as "30s"'], prepare_timeout=30),
    entry("no-duration", ["unhealthy_interval must be a duration", "'1 day'"], unhealthy_interval="1 day"),
    entry("flag", ["runners[a].feature_flags must be a table of true or false"], feature_flags={"FF_X": "perhaps"}),
    entry("label", ["runners[a].labels must be a table of strings"], labels={"a": 1}),
    entry("number", ["policy[0].scale_factor must be a number"], autoscaler={"policy": [{"scale_factor": "x"}]}),
    entry("unknown-key", ["runners[a].executer is neither", "did you mean executor?"], executer="shell"),
    entry("unknown-deep-key", ["runners[a].docker.imgae is no key", "did you mean image?"], docker={"imgae": "x"}),
    entry("wrong-case", ["runners[a].cache.type is no key", "did you mean Type?"], cache={"type": "s3"}),
    entry("negative", ["runners[a].limit is -1; use 0 or more"], limit=-1),
    entry("url-without-scheme", ["runners[a].url is 'gitlab.test'", "with http:// or https://"], url="gitlab.test"),
    entry("dollar-in-url", ["runners[a].url holds a $", "Write the value"], url="https://$HOST"),
    entry("dollar-in-token", ["runners[a].token holds a $", "Write the value"], token="glrt-$TOKEN00000"),
    entry("short-token", ["runners[a].token is cut off", "crashes", "give the whole token"], token="glrt-12345678"),
    entry("spaced-token", ["runners[a].token", "without spaces around it"], token=" glrt-a00000000"),
    entry("access-token", ["runners[a].token is an access", "give a runner authentication token"],
          token="glpat-a00000000"),
    entry("registration-token", ["runners[a].token is an access or registration token"], token="GR1348941abcdef"),
    entry("written-by-runner", ["runners[a].id is written by gitlab-runner itself; leave it out"], id=5),
    entry("type", ["runners[a].runner_type is 'shared'; use one of instance_type"], runner_type="shared"),
    entry("no-group", ["runners[a].group_id is missing: runner_type group_type needs it"], runner_type="group_type"),
    entry("group-and-instance", ["runners[a].group_id does not go with"], runner_type="instance_type", group_id=10),
    entry("text-for-group", ["runners[a].group_id must be an integer"], runner_type="group_type", group_id="fleet"),
    entry("tags", ["runners[a].tag_list must be a list of strings", "'aws'"], tag_list="aws"),
    entry("number-tag", ["runners[a].tag_list", "quote the numbers in it"], tag_list=[9]),
    entry("too-many-tags", ["runners[a].tag_list has 51 tags; GitLab takes 50"], tag_list=[f"t{n}" for n in range(51)]),
    entry("no-job-fits", ["runners[a] has no tag_list and run_untagged is false", "Give it tags"], run_untagged=False),
    entry("short-timeout", ["runners[a].maximum_timeout is 60 seconds; GitLab takes 600"], maximum_timeout=60),
    entry("long-note", ["runners[a].maintenance_note is longer than 1024"], maintenance_note="x" * 1025),
    entry("access-level", ["runners[a].access_level is 'all'; use one of not_protected"], access_level="all"),
    entry("state", ["runners[a].state is 'gone'; use one of present, absent"], state="gone"),
    entry("key-pair", ["runners[a].tls-cert-file needs tls-key-file", "Set it too"], **{"tls-cert-file": "/c"}),
    entry("cache-bucket", ["runners[a].cache.Type s3 needs cache.s3.BucketName", "Set it too"], cache={"Type": "s3"}),
    entry("capability", ["cap_add and cap_drop both name NET_RAW", "Leave it out"],
          docker={"cap_add": ["NET_RAW"], "cap_drop": ["NET_RAW"]}),
    entry("pull-policy", ["runners[a].docker.pull_policy is 'often'", "use one of"], docker={"pull_policy": "often"}),
    entry("machine-name", ["runners[a].machine.MachineName", "must hold %s"], machine={"MachineName": "m"}),
    entry("period", ["autoscaler.policy[0].periods holds '* *'", "five fields"],
          autoscaler={"policy": [{"periods": ["* *"]}]}),
    Case("same-name", ("runners: the name 'a' is declared twice", "another name"),
         {"runners": [{"name": "a", "executor": "shell", "token": token} for token in (TOKEN, TOKEN + "1")]}),
    Case("same-token", ("'a' and 'b' have the same token", "break the daemon's metrics", "Declare it once"),
         {"runners": [{"name": name, "executor": "shell", "token": TOKEN} for name in "ab"]}),
    Case("no-url", ("runners[a].url is missing: GitLab's base URL",),
         {"url": None, "runners": [{"name": "a", "executor": "shell", "token": TOKEN}]}),
    Case("no-token", ("'a' is not in", "config.toml and has no token", "Register it first"),
         {"runners": [{"name": "a", "executor": "shell"}]}),
    settings("concurrent-0", ["settings.concurrent is 0", "Pause the runner in GitLab instead"], concurrent=0),
    settings("concurrent-text", ["settings.concurrent must be an integer"], concurrent="all"),
    settings("unknown-setting", ["settings.concurent is no key", "did you mean concurrent?"], concurent=4),
    settings("log-level", ["settings.log_level is 'loud'", "use one of debug"], log_level="loud"),
    settings("runners-in-settings", ["settings.runners belongs into the option runners"], runners=[]),
    settings("session", ["settings.session_server.session_timeout must be an integer"],
             session_server={"session_timeout": "1h"}),
    settings("age", ["settings.connection_max_age must be a duration"], connection_max_age=900),
)  # fmt: skip
FILES = (
    Case("broken-toml", ("config.toml is no valid TOML", "line 2", "Nothing was changed", "put back a backup"),
         {"settings": {"concurrent": 2}}, file="concurrent = 1\n[[runners]\n"),
    Case("double-key", ("config.toml is no valid TOML", "Repair the file by hand"),
         {"settings": {"concurrent": 2}}, file="concurrent = 1\nconcurrent = 2\n"),
    Case("latin-1", ("config.toml is not UTF-8 (byte 4)", "Nothing was changed", "put back a backup"),
         {"settings": {"concurrent": 2}}, file=b"a = \xe9\n"),
    Case("directory", ("config.toml is no file", "Remove it, or give another path"),
         {"settings": {"concurrent": 2}}, file=None),
    Case("doubled-on-disk", ("has 2 entries named 'known'", "on_doubled_entry to remove"),
         {"runners": [{"name": "known", "executor": "shell"}]}, file=START + COPY),
    Case("doubled-token-on-disk", ("2 entries with one token ('copy', 'known')", "by hand"),
         {"runners": [{"name": "known", "executor": "shell"}]}, file=START + COPY.replace('"known"', '"copy"')),
    Case("renamed-on-disk", ("'a' is called 'known' in", "renamed by hand", "on_renamed_entry"),
         {"runners": [{"name": "a", "executor": "shell", "token": "glrt-known0000"}], "on_renamed_entry": "fail"}),
    Case("inline-runners", ("config.toml", "usual form ([[runners]]"),
         {"runners": [{"name": "a", "executor": "shell", "token": TOKEN}]}, file="runners = [{ name = 'x' }]\n"),
    Case("unknown-option", ("Unsupported parameters", "setings"), {"setings": {}}),
    Case("bad-choice", ("value of on_doubled_entry must be one of: fail, remove",), {"on_doubled_entry": "both"}),
)  # fmt: skip
GITLAB = (
    registration("unreachable", ["Could not", "127.0.0.1:9", "answers (address, firewall, proxy)"],
                 {"name": "known"}, api_url="http://127.0.0.1:9"),
    registration("api-url", ["'ftp://gitlab' is no http or https URL", "Give the base URL"], api_url="ftp://gitlab"),
    registration("expired", ["Could not create runner 'a'", "HTTP 401", "Pass a current access token"],
                 access="expired"),
    registration("revoked", ["HTTP 401", "Pass a current access token"], access="revoked"),
    registration("made-up", ["HTTP 401", "Pass a current access token"], access="made-up"),
    registration("no-scope", ["Could not create runner 'a'", "HTTP 403", "create_runner"], access="read_api"),
    registration("no-role", ["Could not create runner 'a'", "HTTP 403", "role"], access="user"),
    registration("no-access-token", ["'a' is not registered on this host", "Set api_token (scope create_runner)"],
                 access="none"),
    registration("no-such-group", ["Could not create runner 'a'", "HTTP 400", "group", "Correct the value"],
                 {"name": "a", "runner_type": "group_type", "group_id": 999}),
    registration("hidden-group", ["Could not create runner 'a'", "HTTP 40", "role"],
                 {"name": "a", "runner_type": "group_type", "group_id": 12}, access="user"),
    registration("no-such-project", ["Could not create runner 'a'", "HTTP 400", "project", "Correct the value"],
                 {"name": "a", "runner_type": "project_type", "project_id": 999}),
    registration("legacy-switched-off", ["register runner 'a' with registration_token", "HTTP 410", "since GitLab 17.0",
                                         "set api_token"], {"name": "a", "runner_type": None}, registration_token="$"),
    registration("legacy-unknown", ["register runner 'a' with registration_token", "HTTP 403", "has no such"],
                 {"name": "a", "runner_type": None}, registration_token="GR1348941NotOneOfThese"),
    registration("legacy-and-type", ["Nothing was changed", "leave out runner_type"], registration_token="$"),
    registration("legacy-access-token", ["an access token goes into api_token"], registration_token="glpat-a00000000"),
    registration("legacy-own-token", ["is the token of an entry"], registration_token=TOKEN),
    registration("no-type", ["'a' is to be created, but its runner_type is missing", "use one of"],
                 {"name": "a", "runner_type": None}),
    registration("refused-token", ["Runner 'known' (id 7)", "on_refused_token to recreate"], {"name": "known"}),
    registration("refused-own-token", ["Runner 'b'", "refused", "on_refused_token"],
                 {"name": "b", "token": "glrt-unknown00", "runner_type": None}),
    registration("too-many-requests", ["HTTP 429", "lower connections"],
                 faults=({"method": "POST", "path": "/user/runners", "status": 429, "headers": {"Retry-After": "0"}},)),
    registration("server-error", ["Could not create runner 'a'", "HTTP 500", "log"], leaves=(INTENTS,),
                 faults=({"method": "POST", "path": "/user/runners", "status": 500},)),
    registration("not-gitlab", ["Could not create runner 'a'", "(api_url) is GitLab itself"], leaves=(INTENTS,),
                 faults=({"method": "POST", "path": "/user/runners", "status": 200, "body": "<html>login</html>",
                          "headers": {"Content-Type": "text/html"}},)),
    registration("broken-file", ["no valid TOML", "Nothing was changed"], file="x = \n"),
    registration("doubled", ["2 entries named 'known'", "on_doubled_entry"], {"name": "known"}, file=START + COPY),
    registration("ca-file", ["/no/such/ca.pem", "ca_path"], {"name": "known"}, api_url="https://127.0.0.1:9",
                 ca_path="/no/such/ca.pem"),
)  # fmt: skip
KEYS: Options = {"gpgkeys": ["http://keys.test/k"], "check_os": False}
INSTALL = (
    Case("version-word", ("version", "18.0.3"), {"version": "newest", **KEYS}, "gitlab_runner_install_plan"),
    Case("proxy-word", ("proxy",), {"version": "18.0.3", "proxy": {"htpp": "x"}, **KEYS}, "gitlab_runner_install_plan"),
)
GITLAB_RB = {"gpgkeys": ["http://keys.test/k"], "check_os": False, "external_url": "http://gitlab.test"}


def server(case: str, words: t.Sequence[str], /, **options: t.Any) -> Case:
    """A GitLab server that can't be installed as it is declared."""
    said = tuple(words) if case in ("server-unknown", "server-config-text") else ("Nothing was changed", *words)
    return Case(case, said, {**GITLAB_RB, **options}, "gitlab_server_install_plan")


SERVER = (
    server("server-version-word", ["gitlab_server_version is 'newest'", "nothing for the newest"], version="newest"),
    server("server-version-number", ["the number 18.1; quote it"], version=18.10),
    server("server-version-ee", ["of the Enterprise Edition"], version="18.2.8-ee.0.el9"),
    server("server-no-url", ["gitlab_server_external_url is missing; give"], external_url=""),
    server("server-url-without-scheme", ["is no http or https URL; give one such as"], external_url="gitlab.test"),
    server("server-placeholder", ["takes for no address at all"], external_url="https://gitlab.example.com"),
    server("server-url-with-password", ["no user, query or fragment"], external_url="https://root:Pw1@gitlab.test"),
    server("server-url-twice", ["set gitlab_server_external_url instead"], config_extra="external_url 'x'"),
    server("server-setting-name", ["is no name of a setting"], config={"gitlab_rails['x']": 1}),
    server("server-setting-empty", ["config.nginx is empty; give it keys or leave it out"], config={"nginx": {}}),
    server("server-setting-date", ["config.a.b is a date", "quote it"], config={"a": {"b": datetime.date(2026, 1, 1)}}),
    server("server-setting-key", ["the key True must be text; quote it"], config={"nginx": {True: 1}}),
    server("server-removed", ["git_data_dirs was removed in GitLab 18.0", "use gitaly['configuration']"],
           version="18.2", config={"git_data_dirs": {"default": {"path": "/x"}}}),
    server("server-removed-in-extra", ["spamcheck was removed in GitLab 19.0"], version="19.0",
           config_extra="spamcheck['enable'] = true"),
    server("server-removed-in-the-newest", ["sidekiq['max_concurrency'] was removed in GitLab 17.0",
                                            "use sidekiq['concurrency']"], config={"sidekiq": {"max_concurrency": 5}}),
    server("server-password", ["fewer than 8 characters", "Give a longer one"], initial_root_password="Sh0rt!"),
    server("server-os", ["is not supported", "gitlab_server_check_os"], check_os=True),
    server("server-config-text", ["config", "dict"], config="nginx"),
    server("server-unknown", ["Unsupported parameters", "configuration"], configuration={}),
)  # fmt: skip
# One ansible-playbook run each: the faults of one run meet all of its requests.
RUNS = {
    "declared": DECLARED,
    "files": (*FILES, *INSTALL),
    "server": SERVER,
    "gitlab": tuple(case for case in GITLAB if not case.faults),
    **{case.id: (case,) for case in GITLAB if case.faults},
}
CASES = tuple(case for cases in RUNS.values() for case in cases)

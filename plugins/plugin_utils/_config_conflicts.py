# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys of one entry that contradict each other, or need each other (runner facts 1.1 and 1.4 to 1.7).

The runner loads most of them: jobs then fail, or one of the two is ignored without a word. Some make it refuse the
whole file.
"""

from __future__ import annotations

import dataclasses
import typing as t

Mapping = t.Mapping[str, t.Any]
Path = tuple[str, ...]

MAX_LABELS = 32
POLICY_FIELDS = 5


def at(entry: Mapping, path: Path) -> t.Any:
    """What stands at a path, or None."""
    value: t.Any = entry
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _set(value: t.Any) -> bool:
    return value not in (None, "", False, [], {}, 0)


def _path(text: str) -> Path:
    return tuple(text.split())


@dataclasses.dataclass(frozen=True)
class Rule:
    """One key, what it excludes and what it needs, with the reason; paths are words below the entry.

    when: the rule holds only for this value of the key (compared without case).
    """

    key: str
    why: str
    excludes: str = ""
    needs: str = ""
    when: str = ""

    def fault(self, entry: Mapping, where: str) -> str | None:
        value = at(entry, _path(self.key))
        if not _set(value) or (self.when and str(value).casefold() != self.when.casefold()):
            return None
        key = f"{where}.{'.'.join(_path(self.key))}" + (f" {self.when}" if self.when else "")
        other = ".".join(_path(self.excludes or self.needs))
        if self.excludes and _set(at(entry, _path(self.excludes))):
            return f"{key} does not go with {other}: {self.why}. Leave one of them out."
        if self.needs and not _set(at(entry, _path(self.needs))):
            return f"{key} needs {other}: {self.why}. Set it too."
        return None


RULES = (
    Rule("tls-cert-file", "a client certificate is of no use without its key", needs="tls-key-file"),
    Rule("tls-key-file", "a client's key is of no use without its certificate", needs="tls-cert-file"),
    Rule("kubernetes cert_file", "a client certificate is of no use without its key", needs="kubernetes key_file"),
    Rule("kubernetes key_file", "a client's key is of no use without its certificate", needs="kubernetes cert_file"),
    Rule("kubernetes namespace_per_job", "every job gets a namespace of its own", excludes="kubernetes namespace"),
    Rule(
        "kubernetes namespace_per_job",
        "every job gets a namespace of its own",
        excludes="kubernetes namespace_overwrite_allowed",
    ),
    Rule("ssh disable_strict_host_key_checking", "known hosts are then not looked at", excludes="ssh known_hosts_file"),
    Rule("autoscaler vm_isolation enabled", "that is where the VMs run", needs="autoscaler vm_isolation nesting_host"),
    Rule("cache Type", "the cache would go nowhere", needs="cache s3 BucketName", when="s3"),
    Rule("cache Type", "the cache would go nowhere", needs="cache gcs BucketName", when="gcs"),
    Rule("cache Type", "the cache would go nowhere", needs="cache azure ContainerName", when="azure"),
    Rule("cache s3 AccessKey", "the two are one credential", needs="cache s3 SecretKey"),
    Rule("cache s3 SecretKey", "the two are one credential", needs="cache s3 AccessKey"),
    Rule("cache s3 AuthenticationType", "iam uses the machine's role", excludes="cache s3 AccessKey", when="iam"),
    Rule("cache s3 AuthenticationType", "it is what signs", needs="cache s3 AccessKey", when="access-key"),
    Rule("cache s3 ServerSideEncryption", "KMS needs one", needs="cache s3 ServerSideEncryptionKeyID", when="KMS"),
    Rule("cache s3 ServerSideEncryption", "KMS needs one", needs="cache s3 ServerSideEncryptionKeyID", when="DSSE-KMS"),
    Rule("cache s3 UploadRoleARN", "it is RoleARN's deprecated name", excludes="cache s3 RoleARN"),
    Rule("cache gcs CredentialsFile", "the file wins and the key is ignored", excludes="cache gcs PrivateKey"),
    Rule("cache gcs AccessID", "the two are one credential", needs="cache gcs PrivateKey"),
    Rule("cache gcs PrivateKey", "the two are one credential", needs="cache gcs AccessID"),
    Rule("cache azure AccountKey", "it is the key of an account", needs="cache azure AccountName"),
)
# What a text must hold; without the first, gitlab-runner refuses the whole file (runner facts 1.1).
PATTERNS = (
    ("machine MachineName", "%s"),
    ("slot_cgroup_template", "${slot}"),
    ("docker slot_cgroup_template", "${slot}"),
    ("docker service_slot_cgroup_template", "${slot}"),
)


def conflicts(entry: Mapping, where: str) -> t.Iterator[str]:
    """Every contradiction in one entry, each with the way out."""
    yield from (fault for fault in (rule.fault(entry, where) for rule in RULES) if fault)
    for path, needed in PATTERNS:
        value = at(entry, _path(path))
        if isinstance(value, str) and value and needed not in value:
            yield f"{where}.{path.replace(' ', '.')} is {value!r}; it must hold {needed}. Add it."
    for number, option in enumerate(_listed(at(entry, ("machine", "MachineOptionsWithName")))):
        if "%s" not in str(option):
            yield f"{where}.machine.MachineOptionsWithName[{number}] must hold %s, or the file does not load. Add it."
    for table in ("docker", "kubernetes"):
        yield from _container_conflicts(entry, table, where)
    yield from _autoscaler_conflicts(entry, where)
    labels = entry.get("labels")
    if isinstance(labels, dict) and len(labels) > MAX_LABELS:
        yield f"{where}.labels has {len(labels)} labels; gitlab-runner refuses a file with more than {MAX_LABELS}."


def _listed(value: t.Any) -> list[t.Any]:
    if isinstance(value, str):
        return [value]
    return value if isinstance(value, list) else []


def _container_conflicts(entry: Mapping, table: str, where: str) -> t.Iterator[str]:
    both = sorted(
        {str(one).upper() for one in _listed(at(entry, (table, "cap_add")))}
        & {str(one).upper() for one in _listed(at(entry, (table, "cap_drop")))}
    )
    if both:
        yield f"{where}.{table}.cap_add and cap_drop both name {', '.join(both)}. Leave it out of one of them."
    policies, allowed = _listed(at(entry, (table, "pull_policy"))), _listed(at(entry, (table, "allowed_pull_policies")))
    if policies and allowed and not {*map(str, policies)} & {*map(str, allowed)}:
        yield (
            f"{where}.{table}.pull_policy {', '.join(map(str, policies))} is not among allowed_pull_policies: "
            "every job would fail. Allow it, or use an allowed one."
        )


def _autoscaler_conflicts(entry: Mapping, where: str) -> t.Iterator[str]:
    scaler = entry.get("autoscaler")
    if not isinstance(scaler, dict):
        return
    shared = at(entry, ("instance", "use_common_build_dir"))
    if shared and not at(scaler, ("vm_isolation", "enabled")) and scaler.get("max_use_count") != 1:
        yield (
            f"{where}.instance.use_common_build_dir needs autoscaler.vm_isolation or autoscaler.max_use_count 1: jobs "
            "would share one directory. Set one of them."
        )
    for number, policy in enumerate(_listed(scaler.get("policy"))):
        for period in _listed(policy.get("periods") if isinstance(policy, dict) else None):
            if len(str(period).split()) != POLICY_FIELDS:
                yield (
                    f"{where}.autoscaler.policy[{number}].periods holds {period!r}; use five fields as in cron, "
                    'for example "* 7-18 * * mon-fri".'
                )

# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The keys of config.toml in the order in which they are saved: one table for load, lint and save.

A key is written as NAME:KIND, then a rule, then @ and the version that brought it. Kinds: s string, i integer,
f float, b bool, d duration, t time, p string or list, ls list of strings, lf list of floats, ms table of strings,
mb table of bools, ml table of lists, any free table. Rules: none = left out when empty or zero, ! = always
written, ? = kept as given (a pointer in the genuine program). (runner facts 1.2 to 1.7)
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

Number = tuple[int, int]
TOKEN = re.compile(r"(?P<name>[\w-]+):(?P<kind>[a-z]+)(?P<rule>[!?]?)(?:@(?P<major>\d+)\.(?P<minor>\d+))?")


@dataclass(frozen=True)
class Key:
    """One key; kind `table` or `tables` has keys of its own."""

    name: str
    kind: str
    rule: str = ""
    since: Number = (0, 0)
    keys: t.Mapping[str, Key] = field(default_factory=dict)


Keys = dict[str, Key]


def plain(text: str) -> Keys:
    found = [TOKEN.fullmatch(word) for word in text.split()]
    made = [Key(m["name"], m["kind"], m["rule"], (int(m["major"] or 0), int(m["minor"] or 0))) for m in found if m]
    if len(made) != len(found):
        raise ValueError(f"bad key in {text!r}")
    return {key.name: key for key in made}


def table(name: str, *parts: Keys, rule: str = "", kind: str = "table", since: Number = (0, 0)) -> Keys:
    return {name: Key(name, kind, rule, since, {key: value for part in parts for key, value in part.items()})}


CONNECTOR = plain(
    "os:s arch:s protocol:s protocol_port:i! username:s password:s key_path:s use_static_credentials:b keepalive:d! "
    "timeout:d! use_external_addr:b"
)
AUTOSCALER = table(
    "autoscaler",
    plain(
        "capacity_per_instance:i! max_use_count:i! max_instances:i plugin:s instance_ready_command:s "
        "instance_acquire_timeout:d update_interval:d! update_interval_when_expecting:d! deletion_retry_interval:d "
        "shutdown_deletion_interval:d shutdown_deletion_retries:i failure_threshold:i "
        "delete_instances_on_shutdown:b reservation_throttling:b?@18.3 log_internal_ip:b log_external_ip:b "
        "instance_operation_time_buckets:lf instance_creation_time_buckets:lf instance_is_running_time_buckets:lf "
        "instance_deletion_time_buckets:lf instance_readiness_time_buckets:lf instance_life_duration_buckets:lf "
        "plugin_config:any"
    ),
    table("connector_config", CONNECTOR),
    table(
        "policy",
        plain(
            "periods:ls timezone:s idle_count:i idle_time:d scale_factor:f! scale_factor_limit:i! preemptive_mode:b?"
        ),
        kind="tables",
    ),
    table("scale_throttle", plain("limit:i burst:i")),
    table("state_storage", plain("enabled:b dir:s keep_instance_with_acquisitions:b")),
    table(
        "vm_isolation",
        plain("enabled:b nesting_host:s nesting_config:any image:s"),
        table("connector_config", CONNECTOR),
    ),
    rule="?",
)
DOCKER = table(
    "docker",
    plain(
        "host:s tls_cert_path:s tls_verify:b! hostname:s image:s! runtime:s memory:s memory_swap:s "
        "memory_reservation:s cgroup_parent:s slot_cgroup_template:s@18.6 cpuset_cpus:s cpuset_mems:s cpus:s "
        "cpu_shares:i dns:ls dns_search:ls privileged:b! services_privileged:b? disable_entrypoint_overwrite:b! "
        "user:s allowed_users:ls@17.9 group_add:ls userns_mode:s cap_add:ls cap_drop:ls oom_kill_disable:b! "
        "oom_score_adjust:i security_opt:ls services_security_opt:ls devices:ls device_cgroup_rules:ls gpus:s "
        "service_gpus:s disable_cache:b! volumes:ls volume_driver:s volume_keep:b cache_dir:s extra_hosts:ls "
        "volumes_from:ls network_mode:s pid_mode:s ipcmode:s mac_address:s links:ls wait_for_services_timeout:i "
        "allowed_images:ls allowed_privileged_images:ls allowed_privileged_services:ls allowed_services:ls "
        "pull_policy:p allowed_pull_policies:ls isolation:s shm_size:i! helper_image:s helper_image_flavor:s "
        "enable_ipv6:b network_mtu:i! services_limit:i? service_memory:s service_memory_swap:s "
        "service_memory_reservation:s service_cgroup_parent:s service_slot_cgroup_template:s@18.6 "
        "service_cpuset_cpus:s service_cpus:s service_cpu_shares:i "
        "services_devices:ml volume_driver_ops:ms tmpfs:ms services_tmpfs:ms sysctls:ms container_labels:ms ulimit:ms "
        "log_options:ms@18.7"
    ),
    table(
        "services",
        plain("name:s alias:s command:ls entrypoint:ls environment:ls suspend_data_path:s@19.0"),
        kind="tables",
    ),
    rule="?",
)
CACHE = table(
    "cache",
    plain("Type:s Path:s Shared:b MaxUploadedArchiveSize:i!"),
    table(
        "s3",
        plain(
            "ServerAddress:s AccessKey:s SecretKey:s SessionToken:s BucketName:s BucketLocation:s Insecure:b "
            "AuthenticationType:s ServerSideEncryption:s ServerSideEncryptionKeyID:s DualStack:b? PathStyle:b? "
            "Accelerate:b RoleARN:s UploadRoleARN:s AssumeRoleMaxConcurrency:i!@19.0 "
            "DisableAssumeRoleCredentialsCaching:b@19.0"
        ),
        rule="?",
    ),
    table("gcs", plain("CredentialsFile:s AccessID:s PrivateKey:s BucketName:s UniverseDomain:s"), rule="?"),
    table("azure", plain("AccountName:s AccountKey:s ContainerName:s StorageDomain:s"), rule="?"),
    rule="?",
)
CUSTOM = table(
    "custom",
    plain(
        "config_exec:s config_args:ls config_exec_timeout:i? prepare_exec:s prepare_args:ls prepare_exec_timeout:i? "
        "run_exec:s! run_args:ls cleanup_exec:s cleanup_args:ls cleanup_exec_timeout:i? graceful_kill_timeout:i? "
        "force_kill_timeout:i?"
    ),
    rule="?",
)
MACHINE = table(
    "machine",
    plain(
        "MaxGrowthRate:i IdleCount:i! IdleScaleFactor:f IdleCountMin:i IdleTime:i MaxBuilds:i MachineDriver:s! "
        "MachineName:s! MachineOptions:ls MachineOptionsWithName:ls MaxRemovalAttempts:i OffPeakPeriods:ls "
        "OffPeakTimezone:s OffPeakIdleCount:i OffPeakIdleTime:i"
    ),
    table(
        "autoscaling",
        plain("Periods:ls Timezone:s IdleCount:i! IdleScaleFactor:f IdleCountMin:i IdleTime:i"),
        kind="tables",
    ),
    rule="?",
)
SSH = table(
    "ssh",
    plain("user:s password:s host:s port:s identity_file:s disable_strict_host_key_checking:b? known_hosts_file:s"),
    rule="?",
)
_RESOURCES = (
    " ".join(
        f"{prefix}{what}_{bound}{suffix}:s"
        for prefix in ("", "service_", "helper_")
        for what in ("cpu", "memory", "ephemeral_storage")
        for bound in ("limit", "request")
        for suffix in ("", "_overwrite_max_allowed")
    )
    + " "
    + " ".join(
        f"pod_{what}_{bound}{suffix}:s"
        for what in ("cpu", "memory")
        for bound in ("limit", "request")
        for suffix in ("", "_overwrite_max_allowed")
    )
)
KUBERNETES = table(
    "kubernetes",
    plain(
        "host:s! context:s cert_file:s key_file:s ca_file:s bearer_token_overwrite_allowed:b! bearer_token:s image:s! "
        "namespace:s! namespace_overwrite_allowed:s! namespace_per_job:b privileged:b? runtime_class_name:s "
        f"allow_privilege_escalation:b? {_RESOURCES} allowed_images:ls allowed_pull_policies:ls allowed_services:ls "
        "allowed_users:ls allowed_groups:ls pull_policy:p node_selector_overwrite_allowed:s! "
        "node_tolerations_overwrite_allowed:s image_pull_secrets:ls use_service_account_image_pull_secrets:b "
        "helper_image:s helper_image_flavor:s helper_image_autoset_arch_and_os:b "
        "pod_termination_grace_period_seconds:i? cleanup_grace_period_seconds:i? cleanup_resources_timeout:d? "
        "poll_interval:i poll_timeout:i resource_availability_check_max_attempts:i retry_limit:i "
        "retry_backoff_max:i pod_labels_overwrite_allowed:s! scheduler_name:s service_account:s "
        "service_account_overwrite_allowed:s! automount_service_account_token:b? pod_annotations_overwrite_allowed:s! "
        "cap_add:ls cap_drop:ls suspend_pvc_size:s@19.0 suspend_pvc_storage_class:s@19.0 dns_policy:s "
        "priority_class_name:s logs_base_dir:s scripts_base_dir:s print_pod_warning_events:b? "
        "node_selector:ms node_tolerations:ms affinity:any retry_limits:any pod_labels:ms pod_annotations:ms "
        "pod_security_context:any init_permissions_container_security_context:any "
        "build_container_security_context:any helper_container_security_context:any "
        "service_container_security_context:any volumes:any host_aliases:any services:any dns_config:any "
        "container_lifecycle:any pod_spec:any pod_disruption_budget:any autoscaler:any"
    ),
    rule="?",
)
RUNNER: Keys = {
    **plain(
        "name:s! limit:i output_limit:i request_concurrency:i strict_check_interval:b? unhealthy_requests_limit:i "
        "unhealthy_interval:d? job_status_final_update_retry_limit:i url:s! id:i! token:s! token_obtained_at:t! "
        "token_expires_at:t! tls-ca-file:s tls-cert-file:s tls-key-file:s executor:s! builds_dir:s cache_dir:s "
        "clone_url:s environment:ls proxy_exec:b? pre_get_sources_script:s post_get_sources_script:s "
        "pre_build_script:s post_build_script:s prepare_timeout:d?@19.0 get_sources_timeout:d?@19.0 "
        "debug_trace_disabled:b safe_directory_checkout:b? clean_git_config:b?@18.0 shell:s "
        "use_slot_cgroups:b@18.6 slot_cgroup_template:s@18.6 step_runner_image:s@18.0"
    ),
    **table(
        "experimental",
        table("boot_verify", plain("enabled:b timeout:d acquire_min_backoff:d acquire_max_backoff:d")),
        since=(19, 0),
    ),
    **plain("labels:ms@18.5"),
    **table("custom_build_dir", plain("enabled:b?"), rule="?"),
    **table("referees", table("metrics", plain("prometheus_address:s query_interval:i queries:ls"), rule="?")),
    **CACHE,
    **table("artifact", plain("upload_timeout:d? response_header_timeout:d?")),
    **plain("feature_flags:mb"),
    **table(
        "monitoring",
        table(
            "job_queuing_durations",
            plain("periods:ls timezone:s threshold:d jobs_running_for_project:s"),
            kind="tables",
        ),
    ),
    **table("instance", plain("allowed_images:ls use_common_build_dir:b"), rule="?"),
    **SSH,
    **DOCKER,
    **table(
        "parallels",
        plain("base_name:s! template_name:s disable_snapshots:b! time_server:s allowed_images:ls"),
        rule="?",
    ),
    **table(
        "virtualbox",
        plain("base_name:s! base_snapshot:s base_folder:s disable_snapshots:b! allowed_images:ls start_type:s"),
        rule="?",
    ),
    **MACHINE,
    **KUBERNETES,
    **CUSTOM,
    **AUTOSCALER,
}
USAGE_LOG = plain("log_dir:s max_backup_files:i? max_rotation_age:d? labels:ms")
CONFIG: Keys = {
    **plain(
        "listen_address:s concurrent:i! check_interval:i! log_level:s? log_format:s? user:s sentry_dsn:s? "
        "connection_max_age:d? shutdown_timeout:i!"
    ),
    **table("session_server", plain("listen_address:s advertise_address:s session_timeout:i!"), rule="!"),
    **plain("labels:ms@18.5"),
    **table("runners", RUNNER, kind="tables"),
    **table("machine", table("shutdown_drain", plain("enabled:b concurrency:i max_retries:i retry_backoff:d"))),
    **table(
        "experimental",
        table(
            "usage_logger",
            plain("enabled:b writers:ls"),
            USAGE_LOG,
            table("logrotate", USAGE_LOG),
            plain("snowplow_billing:any"),
        ),
    ),
}
EXECUTORS = (
    "custom",
    "docker",
    "docker+machine",
    "docker-autoscaler",
    "docker-windows",
    "instance",
    "kubernetes",
    "parallels",
    "shell",
    "ssh",
    "virtualbox",
)
DOCKER_EXECUTORS = ("docker", "docker+machine", "docker-autoscaler", "docker-windows")

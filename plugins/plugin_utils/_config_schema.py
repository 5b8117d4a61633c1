# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The keys of config.toml: their types, which hold secrets, which take a restart (runner facts 1.3 to 1.7)."""

from __future__ import annotations

import dataclasses
import enum
import typing as t


class Kind(enum.Enum):
    """What a value is; the text is what a message calls it."""

    STRING = "a string"
    INTEGER = "an integer"
    NUMBER = "a number"
    BOOLEAN = "true or false"
    DURATION = 'a duration such as "30s" or "1h30m"'
    DATETIME = "a date and time"
    STRINGS = "a list of strings"
    NUMBERS = "a list of numbers"
    STRING_OR_STRINGS = "a string or a list of strings"
    STRING_MAP = "a table of strings"
    BOOLEAN_MAP = "a table of true or false"
    STRINGS_MAP = "a table of lists of strings"
    TABLE = "a table"
    TABLES = "a list of tables"
    FREE = "a table of the plugin's own keys"


@dataclasses.dataclass(frozen=True)
class Key:
    """One key.

    kept: an explicit false or 0 means something else than an absent key (a pointer in the runner's code), so
    the daemon keeps it when it saves; all others are dropped or written as it likes, and mean the same.
    """

    kind: Kind
    keys: t.Mapping[str, Key] = dataclasses.field(default_factory=dict)
    secret: bool = False
    kept: bool = False
    restart: bool = False


Keys = dict[str, Key]


def _keys(kind: Kind, names: str, *, secret: bool = False, kept: bool = False) -> Keys:
    return {name: Key(kind, secret=secret, kept=kept) for name in names.split()}


def _table(keys: Keys, *, restart: bool = False) -> Key:
    return Key(Kind.TABLE, keys, restart=restart)


def _tables(keys: Keys) -> Key:
    return Key(Kind.TABLES, keys)


K = Kind

AUTOSCALER_CONNECTOR: Keys = {
    **_keys(K.STRING, "os arch protocol username key_path"),
    **_keys(K.STRING, "password", secret=True),
    **_keys(K.INTEGER, "protocol_port"),
    **_keys(K.BOOLEAN, "use_static_credentials use_external_addr"),
    **_keys(K.DURATION, "keepalive timeout"),
}
AUTOSCALER: Keys = {
    **_keys(K.STRING, "plugin instance_ready_command"),
    **_keys(K.INTEGER, "capacity_per_instance max_use_count max_instances shutdown_deletion_retries failure_threshold"),
    **_keys(
        K.DURATION,
        "instance_acquire_timeout update_interval update_interval_when_expecting deletion_retry_interval "
        "shutdown_deletion_interval",
    ),
    **_keys(K.BOOLEAN, "delete_instances_on_shutdown log_internal_ip log_external_ip"),
    **_keys(K.BOOLEAN, "reservation_throttling", kept=True),
    **_keys(
        K.NUMBERS,
        "instance_operation_time_buckets instance_creation_time_buckets instance_is_running_time_buckets "
        "instance_deletion_time_buckets instance_readiness_time_buckets instance_life_duration_buckets",
    ),
    "plugin_config": Key(K.FREE),
    "connector_config": _table(AUTOSCALER_CONNECTOR),
    "policy": _tables(
        {
            **_keys(K.STRINGS, "periods"),
            **_keys(K.STRING, "timezone"),
            **_keys(K.INTEGER, "idle_count scale_factor_limit"),
            **_keys(K.DURATION, "idle_time"),
            **_keys(K.NUMBER, "scale_factor"),
            **_keys(K.BOOLEAN, "preemptive_mode", kept=True),
        }
    ),
    "scale_throttle": _table(_keys(K.INTEGER, "limit burst")),
    "state_storage": _table({**_keys(K.BOOLEAN, "enabled keep_instance_with_acquisitions"), **_keys(K.STRING, "dir")}),
    "vm_isolation": _table(
        {
            **_keys(K.BOOLEAN, "enabled"),
            **_keys(K.STRING, "nesting_host image"),
            "nesting_config": Key(K.FREE),
            "connector_config": _table(AUTOSCALER_CONNECTOR),
        }
    ),
}
DOCKER: Keys = {
    **_keys(
        K.STRING,
        "image host tls_cert_path hostname mac_address runtime isolation memory memory_swap memory_reservation cpus "
        "cpuset_cpus cpuset_mems cgroup_parent slot_cgroup_template network_mode pid_mode ipcmode user userns_mode "
        "gpus service_gpus volume_driver cache_dir service_memory service_memory_swap service_memory_reservation "
        "service_cgroup_parent service_slot_cgroup_template service_cpuset_cpus service_cpus helper_image "
        "helper_image_flavor",
    ),
    **_keys(
        K.INTEGER,
        "cpu_shares shm_size network_mtu oom_score_adjust wait_for_services_timeout service_cpu_shares",
    ),
    **_keys(K.INTEGER, "services_limit", kept=True),
    **_keys(
        K.BOOLEAN,
        "tls_verify enable_ipv6 privileged disable_entrypoint_overwrite oom_kill_disable disable_cache volume_keep",
    ),
    **_keys(K.BOOLEAN, "services_privileged", kept=True),
    **_keys(
        K.STRINGS,
        "dns dns_search extra_hosts links allowed_users group_add cap_add cap_drop security_opt "
        "services_security_opt devices device_cgroup_rules volumes volumes_from allowed_images allowed_services "
        "allowed_privileged_images allowed_privileged_services allowed_pull_policies",
    ),
    **_keys(K.STRING_OR_STRINGS, "pull_policy"),
    **_keys(K.STRING_MAP, "volume_driver_ops tmpfs services_tmpfs sysctls container_labels ulimit log_options"),
    **_keys(K.STRINGS_MAP, "services_devices"),
    "services": _tables(
        {
            **_keys(K.STRING, "name alias suspend_data_path"),
            **_keys(K.STRINGS, "command entrypoint"),
            **_keys(K.STRINGS, "environment", secret=True),
        }
    ),
}
CACHE: Keys = {
    **_keys(K.STRING, "Type Path"),
    **_keys(K.BOOLEAN, "Shared"),
    **_keys(K.INTEGER, "MaxUploadedArchiveSize"),
    "s3": _table(
        {
            **_keys(
                K.STRING,
                "ServerAddress AccessKey BucketName BucketLocation AuthenticationType ServerSideEncryption "
                "ServerSideEncryptionKeyID RoleARN UploadRoleARN",
            ),
            **_keys(K.STRING, "SecretKey SessionToken", secret=True),
            **_keys(K.BOOLEAN, "Insecure Accelerate DisableAssumeRoleCredentialsCaching"),
            **_keys(K.BOOLEAN, "DualStack PathStyle", kept=True),
            **_keys(K.INTEGER, "AssumeRoleMaxConcurrency"),
        }
    ),
    "gcs": _table(
        {
            **_keys(K.STRING, "CredentialsFile AccessID BucketName UniverseDomain"),
            **_keys(K.STRING, "PrivateKey", secret=True),
        }
    ),
    "azure": _table(
        {**_keys(K.STRING, "AccountName ContainerName StorageDomain"), **_keys(K.STRING, "AccountKey", secret=True)}
    ),
}
MACHINE: Keys = {
    **_keys(K.STRING, "MachineDriver MachineName OffPeakTimezone"),
    **_keys(
        K.INTEGER,
        "MaxGrowthRate IdleCount IdleCountMin IdleTime MaxBuilds MaxRemovalAttempts OffPeakIdleCount OffPeakIdleTime",
    ),
    **_keys(K.NUMBER, "IdleScaleFactor"),
    **_keys(K.STRINGS, "OffPeakPeriods"),
    # The driver's own options, among them its cloud's secret keys.
    **_keys(K.STRINGS, "MachineOptions MachineOptionsWithName", secret=True),
    "autoscaling": _tables(
        {
            **_keys(K.STRINGS, "Periods"),
            **_keys(K.STRING, "Timezone"),
            **_keys(K.INTEGER, "IdleCount IdleCountMin IdleTime"),
            **_keys(K.NUMBER, "IdleScaleFactor"),
        }
    ),
}
CUSTOM: Keys = {
    **_keys(K.STRING, "config_exec prepare_exec run_exec cleanup_exec"),
    **_keys(K.STRINGS, "config_args prepare_args run_args cleanup_args"),
    **_keys(
        K.INTEGER,
        "config_exec_timeout prepare_exec_timeout cleanup_exec_timeout graceful_kill_timeout force_kill_timeout",
        kept=True,
    ),
}


def _kubernetes() -> Keys:
    resources = [f"{what}_{kind}" for what in ("cpu", "memory", "ephemeral_storage") for kind in ("limit", "request")]
    sized = [f"{prefix}{name}" for prefix in ("", "service_", "helper_") for name in resources]
    sized += [f"pod_{what}_{kind}" for what in ("cpu", "memory") for kind in ("limit", "request")]
    sizes = sized + [f"{name}_overwrite_max_allowed" for name in sized]
    contexts = ("init_permissions", "build", "helper", "service")
    return {
        **_keys(K.STRING, " ".join(sizes)),
        **_keys(
            K.STRING,
            "host context cert_file key_file ca_file image namespace namespace_overwrite_allowed runtime_class_name "
            "node_selector_overwrite_allowed node_tolerations_overwrite_allowed helper_image helper_image_flavor "
            "pod_labels_overwrite_allowed scheduler_name service_account service_account_overwrite_allowed "
            "pod_annotations_overwrite_allowed suspend_pvc_size suspend_pvc_storage_class dns_policy "
            "priority_class_name logs_base_dir scripts_base_dir",
        ),
        **_keys(K.STRING, "bearer_token", secret=True),
        **_keys(
            K.BOOLEAN,
            "bearer_token_overwrite_allowed namespace_per_job helper_image_autoset_arch_and_os "
            "use_service_account_image_pull_secrets",
        ),
        **_keys(
            K.BOOLEAN,
            "privileged allow_privilege_escalation automount_service_account_token print_pod_warning_events",
            kept=True,
        ),
        **_keys(
            K.INTEGER,
            "pod_termination_grace_period_seconds cleanup_grace_period_seconds poll_interval poll_timeout "
            "resource_availability_check_max_attempts retry_limit",
            kept=True,
        ),
        **_keys(K.DURATION, "cleanup_resources_timeout retry_backoff_max"),
        **_keys(
            K.STRINGS,
            "allowed_images allowed_services allowed_users allowed_groups allowed_pull_policies image_pull_secrets "
            "cap_add cap_drop",
        ),
        **_keys(K.STRING_OR_STRINGS, "pull_policy"),
        **_keys(K.STRING_MAP, "node_selector node_tolerations pod_labels pod_annotations"),
        "retry_limits": Key(K.FREE),
        "affinity": Key(K.FREE),
        "dns_config": Key(K.FREE),
        "container_lifecycle": Key(K.FREE),
        "pod_security_context": Key(K.FREE),
        **{f"{name}_container_security_context": Key(K.FREE) for name in contexts},
        "volumes": Key(K.FREE),
        "autoscaler": Key(K.FREE),
        "pod_disruption_budget": Key(K.FREE),
        "host_aliases": _tables({**_keys(K.STRING, "ip"), **_keys(K.STRINGS, "hostnames")}),
        "services": _tables(
            {
                **_keys(K.STRING, "name alias"),
                **_keys(K.STRINGS, "command entrypoint"),
                **_keys(K.STRINGS, "environment", secret=True),
            }
        ),
        "pod_spec": _tables(_keys(K.STRING, "name patch_path patch patch_type")),
    }


RUNNER: Keys = {
    **_keys(
        K.STRING,
        "name url tls-ca-file tls-cert-file tls-key-file executor builds_dir cache_dir clone_url "
        "pre_get_sources_script post_get_sources_script pre_build_script post_build_script shell step_runner_image "
        "slot_cgroup_template",
    ),
    **_keys(K.STRING, "token", secret=True),
    **_keys(
        K.INTEGER,
        "limit output_limit request_concurrency unhealthy_requests_limit job_status_final_update_retry_limit id",
    ),
    **_keys(K.DURATION, "unhealthy_interval prepare_timeout get_sources_timeout"),
    **_keys(K.DATETIME, "token_obtained_at token_expires_at"),
    **_keys(K.BOOLEAN, "strict_check_interval proxy_exec debug_trace_disabled use_slot_cgroups"),
    **_keys(K.BOOLEAN, "safe_directory_checkout clean_git_config", kept=True),
    "environment": Key(K.STRINGS, secret=True),
    "labels": Key(K.STRING_MAP),
    "feature_flags": Key(K.BOOLEAN_MAP, kept=True),
    "custom_build_dir": _table(_keys(K.BOOLEAN, "enabled", kept=True)),
    "artifact": _table(_keys(K.DURATION, "upload_timeout response_header_timeout")),
    "monitoring": _table(
        {
            "job_queuing_durations": _tables(
                {
                    **_keys(K.STRINGS, "periods"),
                    **_keys(K.STRING, "timezone jobs_running_for_project"),
                    **_keys(K.DURATION, "threshold"),
                }
            )
        }
    ),
    "referees": _table(
        {
            "metrics": _table(
                {
                    **_keys(K.STRING, "prometheus_address"),
                    **_keys(K.INTEGER, "query_interval"),
                    **_keys(K.STRINGS, "queries"),
                }
            )
        }
    ),
    "experimental": _table(
        {
            "boot_verify": _table(
                {
                    **_keys(K.BOOLEAN, "enabled"),
                    **_keys(K.DURATION, "timeout acquire_min_backoff acquire_max_backoff"),
                }
            )
        }
    ),
    "instance": _table({**_keys(K.STRINGS, "allowed_images"), **_keys(K.BOOLEAN, "use_common_build_dir")}),
    "ssh": _table(
        {
            **_keys(K.STRING, "user host port identity_file known_hosts_file"),
            **_keys(K.STRING, "password", secret=True),
            **_keys(K.BOOLEAN, "disable_strict_host_key_checking", kept=True),
        }
    ),
    "parallels": _table(
        {
            **_keys(K.STRING, "base_name template_name time_server"),
            **_keys(K.BOOLEAN, "disable_snapshots"),
            **_keys(K.STRINGS, "allowed_images"),
        }
    ),
    "virtualbox": _table(
        {
            **_keys(K.STRING, "base_name base_snapshot base_folder start_type"),
            **_keys(K.BOOLEAN, "disable_snapshots"),
            **_keys(K.STRINGS, "allowed_images"),
        }
    ),
    "cache": _table(CACHE),
    "docker": _table(DOCKER),
    "machine": _table(MACHINE),
    "kubernetes": _table(_kubernetes()),
    "custom": _table(CUSTOM),
    "autoscaler": _table(AUTOSCALER, restart=True),
}
# What a running job needs and what the runner itself writes: never declared away (runner facts 1.2).
RUNNER_WRITTEN = ("id", "token", "token_obtained_at", "token_expires_at")
# A reload takes these up; everything else in a restart table needs a restart (runner facts 2).
RELOADED_IN_RESTART_TABLES = frozenset({("autoscaler", "policy")})

GLOBAL: Keys = {
    "listen_address": Key(K.STRING, restart=True),
    **_keys(K.INTEGER, "concurrent check_interval shutdown_timeout"),
    **_keys(K.STRING, "log_level log_format user"),
    **_keys(K.STRING, "sentry_dsn", secret=True),
    **_keys(K.DURATION, "connection_max_age", kept=True),  # 0 is never, an absent one 15 minutes (runner facts 1.3)
    "labels": Key(K.STRING_MAP),
    "session_server": _table(
        {**_keys(K.STRING, "listen_address advertise_address"), **_keys(K.INTEGER, "session_timeout")}, restart=True
    ),
    "machine": _table(
        {
            "shutdown_drain": _table(
                {
                    **_keys(K.BOOLEAN, "enabled"),
                    **_keys(K.INTEGER, "concurrency max_retries"),
                    **_keys(K.DURATION, "retry_backoff"),
                }
            )
        }
    ),
    "experimental": _table({"usage_logger": Key(K.FREE)}),
    "runners": _tables(RUNNER),
}

EXECUTORS = (
    "shell", "custom", "instance", "docker", "docker-windows", "docker-autoscaler", "docker+machine", "kubernetes",
    "ssh", "parallels", "virtualbox",
)  # fmt: skip
# What an entry must say for its executor, as paths below the entry (runner facts 1.4 to 1.7 and 4.2).
REQUIRED_FOR: dict[str, tuple[tuple[str, ...], ...]] = {
    "docker": (("docker", "image"),),
    "docker-windows": (("docker", "image"),),
    "docker+machine": (("docker", "image"), ("machine", "MachineDriver"), ("machine", "MachineName")),
    "docker-autoscaler": (("docker", "image"), ("autoscaler", "plugin")),
    "instance": (("autoscaler", "plugin"),),
    "custom": (("custom", "run_exec"), ("builds_dir",), ("cache_dir",)),
    "ssh": (("ssh", "host"),),
    "parallels": (("parallels", "base_name"),),
    "virtualbox": (("virtualbox", "base_name"),),
}
# The order in which the runner itself saves an entry (runner facts 1.2).
_SAVED_ORDER = """
name limit output_limit request_concurrency strict_check_interval unhealthy_requests_limit
unhealthy_interval job_status_final_update_retry_limit url id token token_obtained_at token_expires_at
tls-ca-file tls-cert-file tls-key-file executor builds_dir cache_dir clone_url environment proxy_exec
pre_get_sources_script post_get_sources_script pre_build_script post_build_script prepare_timeout
get_sources_timeout debug_trace_disabled safe_directory_checkout clean_git_config shell use_slot_cgroups
slot_cgroup_template step_runner_image experimental labels custom_build_dir referees cache artifact
feature_flags monitoring instance ssh docker parallels virtualbox machine kubernetes custom autoscaler
"""
RUNNER_ORDER = tuple(_SAVED_ORDER.split())

# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The keys of config.toml: their types, which hold secrets, which take a restart (runner facts 1.3 to 1.7)."""

from __future__ import annotations

from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._config_key import (
    Key,
    Keys,
    Kind,
    keys_of,
    table,
    tables,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._config_kubernetes import KUBERNETES, POLICY

K = Kind
PULL_POLICIES = "always if-not-present never"

AUTOSCALER_CONNECTOR: Keys = {
    **keys_of(K.STRING, "os arch username key_path"),
    **keys_of(K.STRING, "protocol", choices="ssh winrm winrm+https"),
    **keys_of(K.STRING, "password", secret=True),
    **keys_of(K.INTEGER, "protocol_port"),
    **keys_of(K.BOOLEAN, "use_static_credentials use_external_addr"),
    **keys_of(K.DURATION, "keepalive timeout"),
}
AUTOSCALER: Keys = {
    **keys_of(K.STRING, "plugin instance_ready_command"),
    **keys_of(
        K.INTEGER, "capacity_per_instance max_use_count max_instances shutdown_deletion_retries failure_threshold"
    ),
    **keys_of(
        K.DURATION,
        "instance_acquire_timeout update_interval update_interval_when_expecting deletion_retry_interval "
        "shutdown_deletion_interval",
    ),
    **keys_of(K.BOOLEAN, "delete_instances_on_shutdown log_internal_ip log_external_ip"),
    **keys_of(K.BOOLEAN, "reservation_throttling", kept=True),
    **keys_of(
        K.NUMBERS,
        "instance_operation_time_buckets instance_creation_time_buckets instance_is_running_time_buckets "
        "instance_deletion_time_buckets instance_readiness_time_buckets instance_life_duration_buckets",
    ),
    "plugin_config": Key(K.FREE),
    "connector_config": table(AUTOSCALER_CONNECTOR),
    "policy": tables(POLICY),
    "scale_throttle": table({**keys_of(K.INTEGER, "limit", least=-1), **keys_of(K.INTEGER, "burst")}),
    "state_storage": table(
        {**keys_of(K.BOOLEAN, "enabled keep_instance_with_acquisitions"), **keys_of(K.STRING, "dir")}
    ),
    "vm_isolation": table(
        {
            **keys_of(K.BOOLEAN, "enabled"),
            **keys_of(K.STRING, "nesting_host image"),
            "nesting_config": Key(K.FREE),
            "connector_config": table(AUTOSCALER_CONNECTOR),
        }
    ),
}
DOCKER: Keys = {
    **keys_of(
        K.STRING,
        "image host tls_cert_path hostname mac_address runtime isolation memory memory_swap memory_reservation cpus "
        "cpuset_cpus cpuset_mems cgroup_parent slot_cgroup_template network_mode pid_mode ipcmode user userns_mode "
        "gpus service_gpus volume_driver cache_dir service_memory service_memory_swap service_memory_reservation "
        "service_cgroup_parent service_slot_cgroup_template service_cpuset_cpus service_cpus helper_image "
        "helper_image_flavor",
    ),
    **keys_of(K.INTEGER, "cpu_shares shm_size network_mtu service_cpu_shares"),
    **keys_of(K.INTEGER, "oom_score_adjust", least=-1000),
    **keys_of(K.INTEGER, "wait_for_services_timeout", least=-1),
    **keys_of(K.INTEGER, "services_limit", kept=True, least=-1),
    **keys_of(
        K.BOOLEAN,
        "tls_verify enable_ipv6 privileged disable_entrypoint_overwrite oom_kill_disable disable_cache volume_keep",
    ),
    **keys_of(K.BOOLEAN, "services_privileged", kept=True),
    **keys_of(
        K.STRINGS,
        "dns dns_search extra_hosts links allowed_users group_add cap_add cap_drop security_opt "
        "services_security_opt devices device_cgroup_rules volumes volumes_from allowed_images allowed_services "
        "allowed_privileged_images allowed_privileged_services allowed_pull_policies",
    ),
    **keys_of(K.STRING_OR_STRINGS, "pull_policy", choices=PULL_POLICIES),
    **keys_of(K.STRING_MAP, "volume_driver_ops tmpfs services_tmpfs sysctls container_labels ulimit log_options"),
    **keys_of(K.STRINGS_MAP, "services_devices"),
    "services": tables(
        {
            **keys_of(K.STRING, "name alias suspend_data_path"),
            **keys_of(K.STRINGS, "command entrypoint"),
            **keys_of(K.STRINGS, "environment", secret=True),
        }
    ),
}
CACHE: Keys = {
    **keys_of(K.STRING, "Type", choices="s3 gcs azure"),
    **keys_of(K.STRING, "Path"),
    **keys_of(K.BOOLEAN, "Shared"),
    **keys_of(K.INTEGER, "MaxUploadedArchiveSize"),
    "s3": table(
        {
            **keys_of(
                K.STRING,
                "ServerAddress AccessKey BucketName BucketLocation ServerSideEncryptionKeyID RoleARN UploadRoleARN",
            ),
            **keys_of(K.STRING, "AuthenticationType", choices="access-key iam"),
            **keys_of(K.STRING, "ServerSideEncryption", choices="S3 KMS DSSE-KMS"),
            **keys_of(K.STRING, "SecretKey SessionToken", secret=True),
            **keys_of(K.BOOLEAN, "Insecure Accelerate DisableAssumeRoleCredentialsCaching"),
            **keys_of(K.BOOLEAN, "DualStack PathStyle", kept=True),
            **keys_of(K.INTEGER, "AssumeRoleMaxConcurrency", least=-1),
        }
    ),
    "gcs": table(
        {
            **keys_of(K.STRING, "CredentialsFile AccessID BucketName UniverseDomain"),
            **keys_of(K.STRING, "PrivateKey", secret=True),
        }
    ),
    "azure": table(
        {**keys_of(K.STRING, "AccountName ContainerName StorageDomain"), **keys_of(K.STRING, "AccountKey", secret=True)}
    ),
}
MACHINE: Keys = {
    **keys_of(K.STRING, "MachineDriver MachineName OffPeakTimezone"),
    **keys_of(
        K.INTEGER,
        "MaxGrowthRate IdleCount IdleCountMin IdleTime MaxBuilds MaxRemovalAttempts OffPeakIdleCount OffPeakIdleTime",
    ),
    **keys_of(K.NUMBER, "IdleScaleFactor"),
    **keys_of(K.STRINGS, "OffPeakPeriods"),
    # The driver's own options, among them its cloud's secret keys.
    **keys_of(K.STRINGS, "MachineOptions MachineOptionsWithName", secret=True),
    "autoscaling": tables(
        {
            **keys_of(K.STRINGS, "Periods"),
            **keys_of(K.STRING, "Timezone"),
            **keys_of(K.INTEGER, "IdleCount IdleCountMin IdleTime"),
            **keys_of(K.NUMBER, "IdleScaleFactor"),
        }
    ),
}
CUSTOM: Keys = {
    **keys_of(K.STRING, "config_exec prepare_exec run_exec cleanup_exec"),
    **keys_of(K.STRINGS, "config_args prepare_args run_args cleanup_args"),
    **keys_of(
        K.INTEGER,
        "config_exec_timeout prepare_exec_timeout cleanup_exec_timeout graceful_kill_timeout force_kill_timeout",
        kept=True,
    ),
}


RUNNER: Keys = {
    **keys_of(
        K.STRING,
        "name url tls-ca-file tls-cert-file tls-key-file executor builds_dir cache_dir clone_url "
        "pre_get_sources_script post_get_sources_script pre_build_script post_build_script step_runner_image "
        "slot_cgroup_template",
    ),
    **keys_of(K.STRING, "token", secret=True),
    **keys_of(K.STRING, "shell", choices="bash sh pwsh powershell cmd"),
    **keys_of(
        K.INTEGER,
        "limit output_limit request_concurrency unhealthy_requests_limit job_status_final_update_retry_limit id",
    ),
    **keys_of(K.DURATION, "unhealthy_interval prepare_timeout get_sources_timeout"),
    **keys_of(K.DATETIME, "token_obtained_at token_expires_at"),
    **keys_of(K.BOOLEAN, "strict_check_interval proxy_exec debug_trace_disabled use_slot_cgroups"),
    **keys_of(K.BOOLEAN, "safe_directory_checkout clean_git_config", kept=True),
    "environment": Key(K.STRINGS, secret=True),
    "labels": Key(K.STRING_MAP),
    "feature_flags": Key(K.BOOLEAN_MAP, kept=True),
    "custom_build_dir": table(keys_of(K.BOOLEAN, "enabled", kept=True)),
    "artifact": table(keys_of(K.DURATION, "upload_timeout response_header_timeout")),
    "monitoring": table(
        {
            "job_queuing_durations": tables(
                {
                    **keys_of(K.STRINGS, "periods"),
                    **keys_of(K.STRING, "timezone jobs_running_for_project"),
                    **keys_of(K.DURATION, "threshold"),
                }
            )
        }
    ),
    "referees": table(
        {
            "metrics": table(
                {
                    **keys_of(K.STRING, "prometheus_address"),
                    **keys_of(K.INTEGER, "query_interval"),
                    **keys_of(K.STRINGS, "queries"),
                }
            )
        }
    ),
    "experimental": table(
        {
            "boot_verify": table(
                {
                    **keys_of(K.BOOLEAN, "enabled"),
                    **keys_of(K.DURATION, "timeout acquire_min_backoff acquire_max_backoff"),
                }
            )
        }
    ),
    "instance": table({**keys_of(K.STRINGS, "allowed_images"), **keys_of(K.BOOLEAN, "use_common_build_dir")}),
    "ssh": table(
        {
            **keys_of(K.STRING, "user host port identity_file known_hosts_file"),
            **keys_of(K.STRING, "password", secret=True),
            **keys_of(K.BOOLEAN, "disable_strict_host_key_checking", kept=True),
        }
    ),
    "parallels": table(
        {
            **keys_of(K.STRING, "base_name template_name time_server"),
            **keys_of(K.BOOLEAN, "disable_snapshots"),
            **keys_of(K.STRINGS, "allowed_images"),
        }
    ),
    "virtualbox": table(
        {
            **keys_of(K.STRING, "base_name base_snapshot base_folder start_type"),
            **keys_of(K.BOOLEAN, "disable_snapshots"),
            **keys_of(K.STRINGS, "allowed_images"),
        }
    ),
    "cache": table(CACHE),
    "docker": table(DOCKER),
    "machine": table(MACHINE),
    "kubernetes": table(KUBERNETES),
    "custom": table(CUSTOM),
    "autoscaler": table(AUTOSCALER, restart=True),
}
# What a running job needs and what the runner itself writes: never declared away (runner facts 1.2).
RUNNER_WRITTEN = ("id", "token", "token_obtained_at", "token_expires_at")
# A reload takes these up; everything else in a restart table needs a restart (runner facts 2).
RELOADED_IN_RESTART_TABLES = frozenset({("autoscaler", "policy")})

_LOG_ROTATION: Keys = {
    **keys_of(K.STRING, "log_dir"),
    **keys_of(K.INTEGER, "max_backup_files", kept=True),
    **keys_of(K.DURATION, "max_rotation_age"),
    **keys_of(K.STRING_MAP, "labels"),
}
USAGE_LOGGER: Keys = {
    **keys_of(K.BOOLEAN, "enabled"),
    **keys_of(K.STRINGS, "writers", choices="logrotate snowplow_billing"),
    **_LOG_ROTATION,  # deprecated here
    "logrotate": table(_LOG_ROTATION),
    "snowplow_billing": table(
        {
            **keys_of(K.STRING, "collector_uri app_id category realm deployment_type"),
            **keys_of(K.STRING_MAP, "metadata"),
            **keys_of(K.BOOLEAN, "enable_oidc skip_oidc_if_unsupported_cloud skip_runner_system_failure"),
            **keys_of(K.NUMBERS, "batch_delivery_duration_buckets"),
        }
    ),
}
GLOBAL: Keys = {
    "listen_address": Key(K.STRING, restart=True),
    **keys_of(K.INTEGER, "concurrent", least=None),  # a check of its own says why
    **keys_of(K.INTEGER, "check_interval shutdown_timeout"),
    **keys_of(K.STRING, "user"),
    **keys_of(K.STRING, "log_level", choices="debug info warn warning error fatal panic"),
    **keys_of(K.STRING, "log_format", choices="runner text json"),
    **keys_of(K.STRING, "sentry_dsn", secret=True),
    **keys_of(K.DURATION, "connection_max_age", kept=True),  # 0 is never, an absent one 15 minutes (runner facts 1.3)
    "labels": Key(K.STRING_MAP),
    "session_server": table(
        {**keys_of(K.STRING, "listen_address advertise_address"), **keys_of(K.INTEGER, "session_timeout")}, restart=True
    ),
    "machine": table(
        {
            "shutdown_drain": table(
                {
                    **keys_of(K.BOOLEAN, "enabled"),
                    **keys_of(K.INTEGER, "concurrency max_retries"),
                    **keys_of(K.DURATION, "retry_backoff"),
                }
            )
        }
    ),
    "experimental": table({"usage_logger": table(USAGE_LOGGER)}),
    "runners": tables(RUNNER),
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

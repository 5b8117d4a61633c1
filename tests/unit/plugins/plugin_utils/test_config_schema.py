# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every key that the runner's own code knows is known here, with its type."""

from __future__ import annotations

import itertools
import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _config_schema as schema
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._config_key import Key, Kind

# Runner facts 1.3 to 1.7: section -> "TYPE: key key ..." lines.
TABLES: dict[str, str] = {
    "": """
        STRING: listen_address log_level log_format user sentry_dsn
        INTEGER: concurrent check_interval shutdown_timeout
        DURATION: connection_max_age
        STRING_MAP: labels
        TABLE: session_server machine experimental
        TABLES: runners
    """,
    "session_server": "STRING: listen_address advertise_address\nINTEGER: session_timeout",
    "machine.shutdown_drain": "BOOLEAN: enabled\nINTEGER: concurrency max_retries\nDURATION: retry_backoff",
    "experimental": "TABLE: usage_logger",
    "experimental.usage_logger": """
        BOOLEAN: enabled
        STRINGS: writers
        TABLE: logrotate snowplow_billing
        STRING: log_dir
        INTEGER: max_backup_files
        DURATION: max_rotation_age
        STRING_MAP: labels
    """,
    "experimental.usage_logger.snowplow_billing": """
        STRING: collector_uri app_id category realm deployment_type
        STRING_MAP: metadata
        BOOLEAN: enable_oidc skip_oidc_if_unsupported_cloud skip_runner_system_failure
        NUMBERS: batch_delivery_duration_buckets
    """,
    "runners.kubernetes.volumes": "TABLES: host_path pvc config_map secret empty_dir csi nfs",
    "runners.kubernetes.volumes.host_path": "STRING: name mount_path sub_path host_path mount_propagation\n"
    "BOOLEAN: read_only",
    "runners.kubernetes.volumes.csi": "STRING: name mount_path sub_path driver fs_type\nBOOLEAN: read_only\n"
    "STRING_MAP: volume_attributes",
    "runners.kubernetes.autoscaler": """
        INTEGER: max_pause_pods
        STRING: pause_pod_image pause_pod_priority_class_name
        STRINGS: pause_pod_image_pull_secrets
        TABLES: policy
    """,
    "runners.kubernetes.pod_security_context": """
        INTEGER: fs_group run_as_group run_as_user
        BOOLEAN: run_as_non_root
        INTEGERS: supplemental_groups
        STRING: selinux_type
    """,
    "runners": """
        STRING: name url token tls-ca-file tls-cert-file tls-key-file executor builds_dir cache_dir clone_url
        STRING: pre_get_sources_script post_get_sources_script pre_build_script post_build_script shell
        STRING: step_runner_image slot_cgroup_template
        INTEGER: id limit output_limit request_concurrency unhealthy_requests_limit job_status_final_update_retry_limit
        DATETIME: token_obtained_at token_expires_at
        BOOLEAN: strict_check_interval proxy_exec debug_trace_disabled safe_directory_checkout clean_git_config
        BOOLEAN: use_slot_cgroups
        DURATION: unhealthy_interval prepare_timeout get_sources_timeout
        STRINGS: environment
        STRING_MAP: labels
        BOOLEAN_MAP: feature_flags
        TABLE: custom_build_dir artifact monitoring referees experimental instance ssh parallels virtualbox cache
        TABLE: docker machine kubernetes custom autoscaler
    """,
    "runners.custom_build_dir": "BOOLEAN: enabled",
    "runners.artifact": "DURATION: upload_timeout response_header_timeout",
    "runners.monitoring.job_queuing_durations": """
        STRINGS: periods
        STRING: timezone jobs_running_for_project
        DURATION: threshold
    """,
    "runners.referees.metrics": "STRING: prometheus_address\nINTEGER: query_interval\nSTRINGS: queries",
    "runners.experimental.boot_verify": "BOOLEAN: enabled\nDURATION: timeout acquire_min_backoff acquire_max_backoff",
    "runners.docker": """
        STRING: image host tls_cert_path hostname mac_address runtime isolation memory memory_swap memory_reservation
        STRING: cpus cpuset_cpus cpuset_mems cgroup_parent network_mode pid_mode ipcmode user userns_mode gpus
        STRING: service_gpus volume_driver cache_dir service_memory service_memory_swap service_memory_reservation
        STRING: service_cgroup_parent service_slot_cgroup_template service_cpuset_cpus service_cpus helper_image
        STRING: helper_image_flavor
        INTEGER: cpu_shares shm_size network_mtu oom_score_adjust wait_for_services_timeout services_limit
        INTEGER: service_cpu_shares
        BOOLEAN: tls_verify enable_ipv6 privileged services_privileged disable_entrypoint_overwrite oom_kill_disable
        BOOLEAN: disable_cache volume_keep
        STRINGS: dns dns_search extra_hosts links allowed_users group_add cap_add cap_drop security_opt
        STRINGS: services_security_opt devices device_cgroup_rules volumes volumes_from allowed_images
        STRINGS: allowed_services allowed_privileged_images allowed_privileged_services allowed_pull_policies
        STRING_OR_STRINGS: pull_policy
        STRING_MAP: volume_driver_ops tmpfs services_tmpfs sysctls container_labels ulimit log_options
        STRINGS_MAP: services_devices
        TABLES: services
    """,
    "runners.docker.services": "STRING: name alias suspend_data_path\nSTRINGS: command entrypoint environment",
    "runners.autoscaler": """
        STRING: plugin instance_ready_command
        INTEGER: capacity_per_instance max_use_count max_instances shutdown_deletion_retries failure_threshold
        DURATION: instance_acquire_timeout update_interval update_interval_when_expecting deletion_retry_interval
        DURATION: shutdown_deletion_interval
        BOOLEAN: delete_instances_on_shutdown reservation_throttling log_internal_ip log_external_ip
        NUMBERS: instance_operation_time_buckets instance_creation_time_buckets instance_is_running_time_buckets
        NUMBERS: instance_deletion_time_buckets instance_readiness_time_buckets instance_life_duration_buckets
        FREE: plugin_config
        TABLE: connector_config scale_throttle state_storage vm_isolation
        TABLES: policy
    """,
    "runners.autoscaler.connector_config": """
        STRING: os arch protocol username password key_path
        INTEGER: protocol_port
        BOOLEAN: use_static_credentials use_external_addr
        DURATION: keepalive timeout
    """,
    "runners.autoscaler.policy": """
        STRINGS: periods
        STRING: timezone
        INTEGER: idle_count scale_factor_limit
        DURATION: idle_time
        NUMBER: scale_factor
        BOOLEAN: preemptive_mode
    """,
    "runners.autoscaler.scale_throttle": "INTEGER: limit burst",
    "runners.autoscaler.state_storage": "BOOLEAN: enabled keep_instance_with_acquisitions\nSTRING: dir",
    "runners.autoscaler.vm_isolation": """
        BOOLEAN: enabled
        STRING: nesting_host image
        FREE: nesting_config
        TABLE: connector_config
    """,
    "runners.instance": "STRINGS: allowed_images\nBOOLEAN: use_common_build_dir",
    "runners.custom": """
        STRING: config_exec prepare_exec run_exec cleanup_exec
        STRINGS: config_args prepare_args run_args cleanup_args
        INTEGER: config_exec_timeout prepare_exec_timeout cleanup_exec_timeout graceful_kill_timeout
        INTEGER: force_kill_timeout
    """,
    "runners.cache": "STRING: Type Path\nBOOLEAN: Shared\nINTEGER: MaxUploadedArchiveSize\nTABLE: s3 gcs azure",
    "runners.cache.s3": """
        STRING: ServerAddress AccessKey SecretKey SessionToken BucketName BucketLocation AuthenticationType
        STRING: ServerSideEncryption ServerSideEncryptionKeyID RoleARN UploadRoleARN
        BOOLEAN: Insecure DualStack PathStyle Accelerate DisableAssumeRoleCredentialsCaching
        INTEGER: AssumeRoleMaxConcurrency
    """,
    "runners.cache.gcs": "STRING: CredentialsFile AccessID PrivateKey BucketName UniverseDomain",
    "runners.cache.azure": "STRING: AccountName AccountKey ContainerName StorageDomain",
    "runners.ssh": """
        STRING: user password host port identity_file known_hosts_file
        BOOLEAN: disable_strict_host_key_checking
    """,
    "runners.parallels": "STRING: base_name template_name time_server\nBOOLEAN: disable_snapshots\n"
    "STRINGS: allowed_images",
    "runners.virtualbox": "STRING: base_name base_snapshot base_folder start_type\nBOOLEAN: disable_snapshots\n"
    "STRINGS: allowed_images",
    "runners.machine": """
        INTEGER: MaxGrowthRate IdleCount IdleCountMin IdleTime MaxBuilds MaxRemovalAttempts OffPeakIdleCount
        INTEGER: OffPeakIdleTime
        STRING: MachineDriver MachineName OffPeakTimezone
        NUMBER: IdleScaleFactor
        STRINGS: MachineOptions MachineOptionsWithName OffPeakPeriods
        TABLES: autoscaling
    """,
    "runners.machine.autoscaling": """
        STRINGS: Periods
        STRING: Timezone
        INTEGER: IdleCount IdleCountMin IdleTime
        NUMBER: IdleScaleFactor
    """,
}
KUBERNETES = """
    host context cert_file key_file ca_file bearer_token bearer_token_overwrite_allowed image namespace
    namespace_overwrite_allowed namespace_per_job privileged runtime_class_name allow_privilege_escalation
    allowed_images allowed_pull_policies allowed_services allowed_users allowed_groups pull_policy node_selector
    node_selector_overwrite_allowed node_tolerations node_tolerations_overwrite_allowed affinity image_pull_secrets
    use_service_account_image_pull_secrets helper_image helper_image_flavor helper_image_autoset_arch_and_os
    pod_termination_grace_period_seconds cleanup_grace_period_seconds cleanup_resources_timeout poll_interval
    poll_timeout resource_availability_check_max_attempts retry_limit retry_backoff_max retry_limits pod_labels
    pod_labels_overwrite_allowed scheduler_name service_account service_account_overwrite_allowed
    automount_service_account_token pod_annotations pod_annotations_overwrite_allowed pod_security_context
    init_permissions_container_security_context build_container_security_context helper_container_security_context
    service_container_security_context volumes host_aliases services cap_add cap_drop suspend_pvc_size
    suspend_pvc_storage_class dns_policy dns_config container_lifecycle priority_class_name pod_spec logs_base_dir
    scripts_base_dir print_pod_warning_events pod_disruption_budget autoscaler
"""
# Runner facts 1.2, written down from the order in which the runner saves.
SAVED = """
    name limit output_limit request_concurrency strict_check_interval unhealthy_requests_limit unhealthy_interval
    job_status_final_update_retry_limit url id token token_obtained_at token_expires_at tls-ca-file tls-cert-file
    tls-key-file executor builds_dir cache_dir clone_url environment proxy_exec pre_get_sources_script
    post_get_sources_script pre_build_script post_build_script prepare_timeout get_sources_timeout
    debug_trace_disabled safe_directory_checkout clean_git_config shell use_slot_cgroups slot_cgroup_template
    step_runner_image experimental labels custom_build_dir referees cache artifact feature_flags monitoring instance
    ssh docker parallels virtualbox machine kubernetes custom autoscaler
"""
SECRETS = (
    "sentry_dsn runners.token runners.environment runners.cache.s3.SecretKey runners.cache.s3.SessionToken "
    "runners.cache.gcs.PrivateKey runners.cache.azure.AccountKey runners.kubernetes.bearer_token "
    "runners.ssh.password runners.autoscaler.connector_config.password runners.machine.MachineOptions "
    "runners.machine.MachineOptionsWithName runners.docker.services.environment "
    "runners.kubernetes.services.environment"
)


def key_at(path: str) -> Key:
    keys: t.Mapping[str, Key] = schema.GLOBAL
    found = Key(Kind.TABLE, keys)
    for name in filter(None, path.split(".")):
        found = found.keys[name]
    return found


def _expected() -> t.Iterator[tuple[str, str]]:
    for section, text in TABLES.items():
        for line in filter(None, map(str.strip, text.splitlines())):
            kind, _sep, names = line.partition(": ")
            yield from ((f"{section}.{name}".lstrip("."), kind) for name in names.split())


def test_every_key_has_its_type() -> None:
    wrong = {path: key_at(path).kind.name for path, kind in _expected() if key_at(path).kind.name != kind}
    assert wrong == {}


@pytest.mark.parametrize("section", TABLES)
def test_no_key_beside_the_known_ones(section: str) -> None:
    known = {path.rpartition(".")[2] for path, _kind in _expected() if path.rpartition(".")[0] == section}
    # Documented traps: a docker key of the code that the table leaves out stays allowed.
    assert set(key_at(section).keys) - known <= {"slot_cgroup_template"}


def test_kubernetes_keys() -> None:
    what, kinds = ("cpu", "memory", "ephemeral_storage"), ("limit", "request")
    sized = [f"{prefix}{one}_{kind}" for prefix in ("", "service_", "helper_") for one in what for kind in kinds]
    sized += [f"pod_{one}_{kind}" for one in what[:2] for kind in kinds]
    resources = {f"{name}{end}" for name, end in itertools.product(sized, ("", "_overwrite_max_allowed"))}
    assert set(schema.RUNNER["kubernetes"].keys) == {*KUBERNETES.split(), *resources}


def test_traps_are_no_keys() -> None:
    """Documented by mistake, so a declaration of them must be refused (runner facts 10.20)."""
    assert "helper_image_autoset_arch_and_os" not in schema.DOCKER
    assert "volumes" not in schema.CUSTOM


def test_saved_order() -> None:
    assert list(schema.RUNNER_ORDER) == SAVED.split()
    assert set(schema.RUNNER) == set(SAVED.split())


@pytest.mark.parametrize("path", SECRETS.split())
def test_secrets_are_known_as_such(path: str) -> None:
    assert key_at(path).secret


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("connection_max_age", id="0-is-never-absent-is-15m"),
        pytest.param("runners.clean_git_config", id="false-is-kept-by-the-daemon"),
        pytest.param("runners.autoscaler.policy.preemptive_mode", id="default-follows-idle_count"),
        pytest.param("runners.autoscaler.reservation_throttling", id="default-true"),
        pytest.param("runners.docker.services_privileged", id="default-privileged"),
        pytest.param("runners.docker.services_limit", id="default-minus-1"),
        pytest.param("runners.cache.s3.DualStack", id="default-true-s3"),
        pytest.param("runners.cache.s3.PathStyle", id="default-auto"),
    ],
)
def test_zero_says_something_else_than_absence(path: str) -> None:
    assert key_at(path).kept


@pytest.mark.parametrize("path", ["listen_address", "session_server", "runners.autoscaler"])
def test_only_a_new_process_takes_it_up(path: str) -> None:
    assert key_at(path).restart


def test_executors() -> None:
    names = "shell custom instance docker docker-windows docker-autoscaler docker+machine kubernetes ssh parallels"
    assert set(schema.EXECUTORS) == {*names.split(), "virtualbox"}
    for paths in schema.REQUIRED_FOR.values():
        for path in paths:
            key_at(".".join(("runners", *path)))

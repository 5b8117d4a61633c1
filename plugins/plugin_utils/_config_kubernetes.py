# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The keys of [runners.kubernetes] (runner facts 1.7)."""

from __future__ import annotations

from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._config_key import (
    Key,
    Keys,
    Kind,
    keys_of,
    table,
    tables,
)

K = Kind

# A policy of the fleeting autoscaler and of the pause pods (runner facts 1.6 and 1.7).
POLICY: Keys = {
    **keys_of(K.STRINGS, "periods"),
    **keys_of(K.STRING, "timezone"),
    **keys_of(K.INTEGER, "idle_count scale_factor_limit"),
    **keys_of(K.DURATION, "idle_time"),
    **keys_of(K.NUMBER, "scale_factor"),
    **keys_of(K.BOOLEAN, "preemptive_mode", kept=True),
}
_MOUNT: Keys = {**keys_of(K.STRING, "name mount_path sub_path"), **keys_of(K.BOOLEAN, "read_only")}
VOLUMES: Keys = {
    "host_path": tables({**_MOUNT, **keys_of(K.STRING, "host_path mount_propagation")}),
    "pvc": tables({**_MOUNT, **keys_of(K.STRING, "mount_propagation")}),
    "config_map": tables({**_MOUNT, **keys_of(K.STRING_MAP, "items")}),
    "secret": tables({**_MOUNT, **keys_of(K.STRING_MAP, "items")}),
    "empty_dir": tables({**_MOUNT, **keys_of(K.STRING, "medium size_limit")}),
    "csi": tables({**_MOUNT, **keys_of(K.STRING, "driver fs_type"), **keys_of(K.STRING_MAP, "volume_attributes")}),
    "nfs": tables({**_MOUNT, **keys_of(K.STRING, "server path")}),
}
POD_SECURITY: Keys = {
    **keys_of(K.INTEGER, "fs_group run_as_group run_as_user", kept=True),
    **keys_of(K.BOOLEAN, "run_as_non_root", kept=True),
    **keys_of(K.INTEGERS, "supplemental_groups"),
    **keys_of(K.STRING, "selinux_type"),
}
CONTAINER_SECURITY: Keys = {
    "capabilities": table(keys_of(K.STRINGS, "add drop")),
    **keys_of(K.BOOLEAN, "privileged run_as_non_root read_only_root_filesystem allow_privilege_escalation", kept=True),
    **keys_of(K.INTEGER, "run_as_user run_as_group", kept=True),
    **keys_of(K.STRING, "selinux_type"),
    **keys_of(K.STRING, "proc_mount", choices="default unmasked"),
}
_EXPRESSIONS = tables({**keys_of(K.STRING, "key operator"), **keys_of(K.STRINGS, "values")})
_NODES: Keys = {"match_expressions": _EXPRESSIONS, "match_fields": _EXPRESSIONS}
_LABELS = table({**keys_of(K.STRING_MAP, "match_labels"), "match_expressions": _EXPRESSIONS})
_PODS: Keys = {
    "label_selector": _LABELS,
    "namespace_selector": _LABELS,
    **keys_of(K.STRINGS, "namespaces"),
    **keys_of(K.STRING, "topology_key"),
}
_WEIGHT = keys_of(K.INTEGER, "weight")


def _affinity(required: Key, preferred: Key) -> Key:
    return table(
        {
            "required_during_scheduling_ignored_during_execution": required,
            "preferred_during_scheduling_ignored_during_execution": preferred,
        }
    )


_POD_AFFINITY = _affinity(tables(_PODS), tables({**_WEIGHT, "pod_affinity_term": table(_PODS)}))
AFFINITY: Keys = {
    "node_affinity": _affinity(
        table({"node_selector_terms": tables(_NODES)}), tables({**_WEIGHT, "preference": table(_NODES)})
    ),
    "pod_affinity": _POD_AFFINITY,
    "pod_anti_affinity": _POD_AFFINITY,
}
_HOOK = table(
    {
        "exec": table(keys_of(K.STRINGS, "command")),
        "http_get": table(
            {
                **keys_of(K.STRING, "host path scheme"),
                **keys_of(K.INTEGER, "port"),
                "http_headers": tables(keys_of(K.STRING, "name value")),
            }
        ),
        "tcp_socket": table({**keys_of(K.STRING, "host"), **keys_of(K.INTEGER, "port")}),
    }
)
LIFECYCLE: Keys = {"post_start": _HOOK, "pre_stop": _HOOK}
DNS_CONFIG: Keys = {
    **keys_of(K.STRINGS, "nameservers searches"),
    "options": tables(keys_of(K.STRING, "name value")),
}
PAUSE_PODS: Keys = {
    **keys_of(K.INTEGER, "max_pause_pods"),
    **keys_of(K.STRING, "pause_pod_image pause_pod_priority_class_name"),
    **keys_of(K.STRINGS, "pause_pod_image_pull_secrets"),
    "policy": tables(POLICY),
}


_CONTEXTS = ("init_permissions", "build", "helper", "service")
_STRINGS = (
    "host context cert_file key_file ca_file image namespace namespace_overwrite_allowed runtime_class_name "
    "node_selector_overwrite_allowed node_tolerations_overwrite_allowed helper_image helper_image_flavor "
    "pod_labels_overwrite_allowed scheduler_name service_account service_account_overwrite_allowed "
    "pod_annotations_overwrite_allowed suspend_pvc_size suspend_pvc_storage_class dns_policy "
    "priority_class_name logs_base_dir scripts_base_dir"
)
# pod_disruption_budget is a switch: the program makes the object itself (gitlab-runner's merge request 6331).
_BOOLEANS = (
    "bearer_token_overwrite_allowed namespace_per_job helper_image_autoset_arch_and_os "
    "use_service_account_image_pull_secrets pod_disruption_budget"
)
_KEPT_BOOLEANS = "privileged allow_privilege_escalation automount_service_account_token print_pod_warning_events"
_KEPT_INTEGERS = (
    "pod_termination_grace_period_seconds cleanup_grace_period_seconds poll_interval poll_timeout retry_limit"
)
_LISTS = (
    "allowed_images allowed_services allowed_users allowed_groups allowed_pull_policies image_pull_secrets "
    "cap_add cap_drop"
)


def _sizes() -> str:
    """The resource keys (runner facts 1.7): for a build, a service, a helper and the pod, each with its maximum."""
    resources = [f"{what}_{kind}" for what in ("cpu", "memory", "ephemeral_storage") for kind in ("limit", "request")]
    sized = [f"{prefix}{name}" for prefix in ("", "service_", "helper_") for name in resources]
    sized += [f"pod_{what}_{kind}" for what in ("cpu", "memory") for kind in ("limit", "request")]
    return " ".join(sized + [f"{name}_overwrite_max_allowed" for name in sized])


_SERVICE: Keys = {
    **keys_of(K.STRING, "name alias"),
    **keys_of(K.STRINGS, "command entrypoint"),
    **keys_of(K.STRINGS, "environment", secret=True),
}
KUBERNETES: Keys = {
    **keys_of(K.STRING, f"{_sizes()} {_STRINGS}"),
    **keys_of(K.STRING, "bearer_token", secret=True),
    **keys_of(K.BOOLEAN, _BOOLEANS),
    **keys_of(K.BOOLEAN, _KEPT_BOOLEANS, kept=True),
    **keys_of(K.INTEGER, _KEPT_INTEGERS, kept=True),
    **keys_of(K.INTEGER, "resource_availability_check_max_attempts", kept=True, least=-1),
    **keys_of(K.DURATION, "cleanup_resources_timeout retry_backoff_max"),
    **keys_of(K.STRINGS, _LISTS),
    **keys_of(K.STRING_OR_STRINGS, "pull_policy", choices="always if-not-present never"),
    **keys_of(K.STRING_MAP, "node_selector node_tolerations pod_labels pod_annotations"),
    **keys_of(K.INTEGER_MAP, "retry_limits"),
    "affinity": table(AFFINITY),
    "dns_config": table(DNS_CONFIG),
    "container_lifecycle": table(LIFECYCLE),
    "pod_security_context": table(POD_SECURITY),
    **{f"{name}_container_security_context": table(CONTAINER_SECURITY) for name in _CONTEXTS},
    "volumes": table(VOLUMES),
    "autoscaler": table(PAUSE_PODS),
    "host_aliases": tables({**keys_of(K.STRING, "ip"), **keys_of(K.STRINGS, "hostnames")}),
    "services": tables(_SERVICE),
    "pod_spec": tables(keys_of(K.STRING, "name patch_path patch patch_type")),
}

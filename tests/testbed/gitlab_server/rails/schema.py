# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The database: GitLab's table names, with the columns that SQL of the product, the docs and the twin names."""

from __future__ import annotations

import re
import typing as t

_TIMES = "created_at timestamp, updated_at timestamp"
_PARTITION = "partition_id bigint DEFAULT 100"

# table: columns after id
TABLES: t.Mapping[str, str] = {
    "application_settings": f"""signup_enabled boolean DEFAULT 1, authorized_keys_enabled boolean DEFAULT 1,
        database_max_running_batched_background_migrations integer DEFAULT 2, uuid text,
        runners_registration_token_encrypted text, ci_jwt_signing_key_encrypted text, {_TIMES}""",
    "users": f"""username text UNIQUE, name text, email text, encrypted_password text, admin boolean DEFAULT 0,
        state text DEFAULT 'active', user_type integer DEFAULT 0, otp_required_for_login boolean DEFAULT 0,
        encrypted_otp_secret text, feed_token text, {_TIMES}""",
    "emails": f"user_id bigint, email text, confirmed_at timestamp, {_TIMES}",
    "identities": f"user_id bigint, provider text, extern_uid text, {_TIMES}",
    "keys": f"user_id bigint, title text, key text, type text, fingerprint_sha256 text, {_TIMES}",
    "personal_access_tokens": f"""user_id bigint, name text, token_digest text, scopes text,
        revoked boolean DEFAULT 0, expires_at date, {_TIMES}""",
    "namespaces": f"name text, path text, type text, owner_id bigint, parent_id bigint, {_TIMES}",
    "routes": f"source_id bigint, source_type text, path text UNIQUE, name text, namespace_id bigint, {_TIMES}",
    "projects": f"""name text, path text, namespace_id bigint, creator_id bigint, visibility_level integer DEFAULT 0,
        archived boolean DEFAULT 0, repository_storage text DEFAULT 'default', storage_version integer DEFAULT 2,
        runners_token_encrypted text, {_TIMES}""",
    "project_repositories": "project_id bigint UNIQUE, shard_id bigint DEFAULT 1, disk_path text UNIQUE",
    "shards": "name text UNIQUE",
    "members": f"user_id bigint, source_id bigint, source_type text, access_level integer, type text, {_TIMES}",
    "issues": f"""title text, description text, project_id bigint, author_id bigint, iid integer,
        state_id integer DEFAULT 1, closed_at timestamp, {_TIMES}""",
    "merge_requests": f"""title text, description text, target_project_id bigint, source_project_id bigint,
        author_id bigint, iid integer, source_branch text, target_branch text, state_id integer DEFAULT 1, {_TIMES}""",
    "merge_request_diffs": f"merge_request_id bigint, state text, stored_externally boolean DEFAULT 0, {_TIMES}",
    "notes": f"note text, noteable_type text, noteable_id bigint, project_id bigint, author_id bigint, {_TIMES}",
    "labels": f"title text, color text, project_id bigint, {_TIMES}",
    "milestones": f"title text, project_id bigint, iid integer, {_TIMES}",
    "events": f"project_id bigint, author_id bigint, action integer, target_id bigint, target_type text, {_TIMES}",
    "todos": f"user_id bigint, project_id bigint, target_id bigint, target_type text, state text, {_TIMES}",
    "snippets": f"title text, content text, author_id bigint, project_id bigint, type text, {_TIMES}",
    "snippet_repositories": "snippet_id bigint UNIQUE, shard_id bigint DEFAULT 1, disk_path text UNIQUE",
    "releases": f"tag text, description text, project_id bigint, {_TIMES}",
    "web_hooks": f"project_id bigint, type text, encrypted_url text, encrypted_token text, {_TIMES}",
    "integrations": f"project_id bigint, type_new text, encrypted_properties text, active boolean DEFAULT 1, {_TIMES}",
    "uploads": "size bigint, path text, checksum text, model_id bigint, model_type text, uploader text, "
    "store integer DEFAULT 1, created_at timestamp",
    "lfs_objects": f"oid text UNIQUE, size bigint, file text, file_store integer DEFAULT 1, {_TIMES}",
    "lfs_objects_projects": f"lfs_object_id bigint, project_id bigint, {_TIMES}",
    "p_ci_pipelines": f"project_id bigint, ref text, sha text, status text, source integer, {_PARTITION}, {_TIMES}",
    "p_ci_stages": f"project_id bigint, pipeline_id bigint, name text, status integer, {_PARTITION}, {_TIMES}",
    "p_ci_builds": f"""project_id bigint, commit_id bigint, stage_id bigint, runner_id bigint, name text, status text,
        type text DEFAULT 'Ci::Build', token_encrypted text, started_at timestamp, finished_at timestamp,
        {_PARTITION}, {_TIMES}""",
    "p_ci_job_artifacts": f"""project_id bigint, job_id bigint, file_type integer, size bigint, file text,
        file_store integer DEFAULT 1, {_PARTITION}, {_TIMES}""",
    "ci_runners": f"""token_encrypted text, description text, runner_type integer, active boolean DEFAULT 1,
        locked boolean DEFAULT 0, run_untagged boolean DEFAULT 1, contacted_at timestamp, creator_id bigint,
        {_TIMES}""",
    "ci_runner_machines": f"""runner_id bigint, system_xid text, version text, platform text, architecture text,
        ip_address text, contacted_at timestamp, {_TIMES}""",
    "ci_variables": """project_id bigint, key text, encrypted_value text, masked boolean DEFAULT 0,
        protected boolean DEFAULT 0""",
    "ci_instance_variables": "key text, encrypted_value text, masked boolean DEFAULT 0",
    "ci_secure_files": f"project_id bigint, name text, file text, checksum text, {_TIMES}",
    "packages_packages": f"project_id bigint, name text, version text, package_type integer, {_TIMES}",
    "packages_package_files": f"package_id bigint, size bigint, file_name text, file_sha256 text, {_TIMES}",
    "pages_deployments": f"project_id bigint, size bigint, file text, file_count integer, {_TIMES}",
    "terraform_states": f"project_id bigint, name text, uuid text, {_TIMES}",
    "terraform_state_versions": f"terraform_state_id bigint, version integer, file text, {_TIMES}",
    "container_repositories": f"project_id bigint, name text, {_TIMES}",
    "award_emoji": f"name text, user_id bigint, awardable_type text, awardable_id bigint, {_TIMES}",
    "ci_group_variables": "group_id bigint, key text, encrypted_value text, masked boolean DEFAULT 0",
    "ci_pipeline_schedules": f"project_id bigint, description text, ref text, cron text, {_TIMES}",
    "ci_triggers": f"project_id bigint, encrypted_token text, description text, {_TIMES}",
    "deploy_tokens": f"name text, token_encrypted text, revoked boolean DEFAULT 0, {_TIMES}",
    "environments": f"project_id bigint, name text, state text, {_TIMES}",
    "deployments": f"project_id bigint, environment_id bigint, iid integer, sha text, status integer, {_TIMES}",
    "label_links": f"label_id bigint, target_id bigint, target_type text, {_TIMES}",
    "protected_branches": f"project_id bigint, name text, {_TIMES}",
    "batched_background_migrations": f"""job_class_name text, table_name text, column_name text,
        job_arguments text DEFAULT '[]', status integer DEFAULT 1, min_value bigint DEFAULT 1, max_value bigint,
        batch_size integer DEFAULT 1000, sub_batch_size integer DEFAULT 100, interval integer DEFAULT 120,
        total_tuple_count bigint, gitlab_schema text DEFAULT 'gitlab_main', started_at timestamp,
        finished_at timestamp, queued_migration_version text, {_TIMES}""",
    "batched_background_migration_jobs": f"""batched_background_migration_id bigint, min_value bigint,
        max_value bigint, batch_size integer DEFAULT 0, status integer DEFAULT 0, attempts integer DEFAULT 0,
        {_TIMES}""",
}
# The names of tables before they were partitioned are still those of their first partition.
VIEWS: t.Mapping[str, str] = {
    "ci_builds": "p_ci_builds",
    "ci_pipelines": "p_ci_pipelines",
    "ci_stages": "p_ci_stages",
    "ci_job_artifacts": "p_ci_job_artifacts",
}
KEYLESS: t.Mapping[str, str] = {
    "schema_migrations": "version text PRIMARY KEY NOT NULL",
    "ar_internal_metadata": f"key text PRIMARY KEY NOT NULL, value text, {_TIMES}",
}
BOOLEANS = frozenset(re.findall(r"(\w+) boolean", " ".join(TABLES.values())))


def statements() -> t.Iterator[str]:
    """Yield what makes an empty database."""
    for name, columns in KEYLESS.items():
        yield f"CREATE TABLE {name} ({columns})"
    for name, columns in TABLES.items():
        # AUTOINCREMENT, as a sequence: an id is never given twice.
        yield f"CREATE TABLE {name} (id INTEGER PRIMARY KEY AUTOINCREMENT, {' '.join(columns.split())})"
    for name, table in VIEWS.items():
        yield f"CREATE VIEW {name} AS SELECT * FROM {table}"

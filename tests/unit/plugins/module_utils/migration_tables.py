# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""GitLab's tables of background migrations, as its db/structure.sql has the columns that are asked for."""

from __future__ import annotations

TABLES = """\
CREATE TABLE schema_migrations (version character varying PRIMARY KEY);
CREATE TABLE batched_background_migrations (
  id bigserial PRIMARY KEY, created_at timestamp with time zone NOT NULL, min_value bigint DEFAULT 1 NOT NULL,
  max_value bigint, batch_size integer DEFAULT 1000 NOT NULL, status smallint DEFAULT 0 NOT NULL,
  job_class_name text NOT NULL, table_name text NOT NULL, column_name text NOT NULL,
  job_arguments jsonb DEFAULT '"[]"'::jsonb NOT NULL, total_tuple_count bigint
);
CREATE TABLE batched_background_migration_jobs (
  id bigserial PRIMARY KEY, batched_background_migration_id bigint NOT NULL, batch_size integer NOT NULL,
  status smallint DEFAULT 0 NOT NULL
);
INSERT INTO schema_migrations VALUES ('20250901120000'), ('20240101000000');
INSERT INTO batched_background_migrations
  (status, job_class_name, table_name, column_name, job_arguments, total_tuple_count, created_at) VALUES
  (3, 'Done', 'a', 'id', '[]', 10, '2026-11-24 06:00:00+00'),
  (6, 'Done', 'b', 'id', '[]', 10, '2026-11-24 06:00:00+00'),
  (6, 'Done', 'c', 'id', '[]', 10, '2026-11-24 06:00:00+00'),
  (4, 'BackfillX', 'ci_builds', 'id', '[["id", "x|y"], "a\\\\b"]', NULL, '2026-11-24 08:50:09.25+01:30'),
  (9, 'BackfillY', 'notes', 'id', '[]', 200, '2026-11-24 06:00:00+00'),
  (1, 'BackfillZ', 'notes', 'id', '[]', 200, '2026-11-24 06:00:00+00');
INSERT INTO batched_background_migration_jobs (batched_background_migration_id, batch_size, status) VALUES
  (6, 50, 3), (6, 40, 3), (6, 50, 2), (6, 50, 1), (1, 10, 3);
"""

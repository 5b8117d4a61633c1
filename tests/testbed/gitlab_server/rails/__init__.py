# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is behind the gitlab-ce twin's wrappers: Rake tasks, the Rails runner and psql over SQLite.

Standard library of Python 3.9; runs on a host, or below the folder that GITLAB_TWIN_ROOT names.
"""

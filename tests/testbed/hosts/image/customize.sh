#!/bin/sh
# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Turns a Debian userland into what the testbed shows: run by mmdebstrap with the new root as $1.
# OVERLAY is the folder of files to put in, BASE_PACKAGE the rpm that speaks for the Debian programs.
set -e
root=$1

rm -f "$root/usr/lib/os-release" "$root/etc/os-release"
cp -a "$OVERLAY/." "$root/"
ln -s ../usr/lib/os-release "$root/etc/os-release"
ln -sf dnf "$root/usr/bin/yum"
mkdir -p "$root/etc/yum.repos.d" "$root/etc/sysconfig" "$root/var/lib/rpm"

# rpm's database is the host's; --nodeps because nothing in it provides anything yet.
cp "$BASE_PACKAGE" "$root/tmp/base.rpm"
chroot "$root" rpm --install --nodeps --nosignature /tmp/base.rpm
rm "$root/tmp/base.rpm"

chroot "$root" sh /provision.sh
rm "$root/provision.sh"

# Facts look for these programs; without them the package manager is dnf.
rm -f "$root/etc/debian_version" "$root"/usr/bin/apt* "$root"/usr/bin/dpkg*
rm -rf "$root"/var/lib/apt/lists/* "$root/var/cache/apt" "$root/etc/apt/sources.list" "$root/var/lib/dpkg/info" \
    "$root/var/log/apt" "$root/var/log/dpkg.log"

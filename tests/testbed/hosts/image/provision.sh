#!/bin/sh
# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs inside the image, ours or the one named by TESTBED_IMAGE: the account, sudo and sshd as on an EC2 instance.
set -e

for program in sudo ssh-keygen python3 dnf systemctl; do
    if ! command -v "$program" >/dev/null 2>&1; then
        echo "The image has no $program: the testbed needs systemd, sshd, sudo, python3 and dnf in it." >&2
        exit 1
    fi
done
if [ ! -x /usr/sbin/sshd ]; then
    echo "The image has no /usr/sbin/sshd: the testbed needs systemd, sshd, sudo, python3 and dnf in it." >&2
    exit 1
fi

id -u ec2-user >/dev/null 2>&1 || useradd --create-home --shell /bin/bash ec2-user
echo 'ec2-user ALL=(ALL) NOPASSWD:ALL' >/etc/sudoers.d/ec2-user
chmod 0440 /etc/sudoers.d/ec2-user

# One host key, of the quick kind, made at each host's first start.
rm -f /etc/ssh/ssh_host_*
mkdir -p /etc/ssh/sshd_config.d
cat >/etc/ssh/sshd_config.d/10-testbed.conf <<'CONF'
HostKey /etc/ssh/ssh_host_ed25519_key
AuthorizedKeysFile .ssh/authorized_keys /etc/ssh/testbed_authorized_keys
PermitRootLogin no
PasswordAuthentication no
UseDNS no
MaxStartups 100:30:200
MaxSessions 100
CONF
grep -q '^Include /etc/ssh/sshd_config.d/' /etc/ssh/sshd_config ||
    sed -i '1i Include /etc/ssh/sshd_config.d/*.conf' /etc/ssh/sshd_config

unit=sshd
[ -e /lib/systemd/system/ssh.service ] && unit=ssh
mkdir -p "/etc/systemd/system/$unit.service.d"
cat >"/etc/systemd/system/$unit.service.d/testbed.conf" <<'CONF'
[Service]
ExecStartPre=
ExecStartPre=/bin/sh -c "test -s /etc/ssh/ssh_host_ed25519_key || ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key"
CONF
systemctl enable "$unit"
systemctl set-default multi-user.target
# A container has no consoles, and its clock and kernel are the machine's.
systemctl mask getty.target console-getty.service systemd-firstboot.service \
    systemd-ask-password-console.path systemd-ask-password-wall.path >/dev/null 2>&1
: >/etc/machine-id
rm -f /var/lib/dbus/machine-id

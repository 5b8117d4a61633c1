# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Service quotas of EC2 and Auto Scaling; moto knows those of VPCs only.

The values are AWS's defaults of an account that has asked for no more; a test sets others by code.
"""

from __future__ import annotations

import json
import typing as t

from moto.servicequotas.exceptions import NoSuchResource
from moto.servicequotas.responses import ServiceQuotasResponse

from testbed.aws.steering import STEERING

# Code: name, default. Codes as in the console of Service Quotas.
EC2 = {
    "L-1216C47A": ("Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances", 5.0),
    "L-34B43A08": ("All Standard (A, C, D, H, I, M, R, T, Z) Spot Instance Requests", 5.0),
    "L-0263D0A3": ("EC2-VPC Elastic IPs", 5.0),
}


class Quotas(ServiceQuotasResponse):
    """The one operation that moto answers for VPCs only."""

    def get_service_quota(self) -> str:
        asked = json.loads(self.body)
        code = str(asked.get("QuotaCode"))
        if asked.get("ServiceCode") != "ec2":
            return str(super().get_service_quota())
        if code not in EC2:
            raise NoSuchResource
        name, default = EC2[code]
        quota: dict[str, t.Any] = {
            "ServiceCode": "ec2",
            "ServiceName": "Amazon Elastic Compute Cloud (Amazon EC2)",
            "QuotaArn": f"arn:aws:servicequotas:{self.region}:{self.current_account}:ec2/{code}",
            "QuotaCode": code,
            "QuotaName": name,
            "Value": STEERING.quotas.get(code, default),
            "Unit": "None",
            "Adjustable": True,
            "GlobalQuota": False,
        }
        return json.dumps({"Quota": quota})

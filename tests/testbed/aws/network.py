# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A network as the fleets want it: a VPC with a public subnet and two private ones in different zones, behind a NAT."""

from __future__ import annotations

import typing as t


def lay(ec2: t.Any, *, nat: bool = True) -> dict[str, t.Any]:
    """Make it with a boto3 client; returns the ids of what was made."""
    vpc = ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
    zones = [one["ZoneName"] for one in ec2.describe_availability_zones()["AvailabilityZones"][:2]]
    public, *private = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.20.{number}.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"]
        for number, zone in enumerate([zones[0], *zones])
    ]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    outward = _table(ec2, vpc, [public])
    ec2.create_route(RouteTableId=outward, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    inward = _table(ec2, vpc, private)
    laid = {"vpc_id": vpc, "public_subnet_id": public, "private_subnet_ids": private, "route_table_id": inward}
    if nat:
        address = ec2.allocate_address(Domain="vpc")["AllocationId"]
        made = ec2.create_nat_gateway(SubnetId=public, AllocationId=address)["NatGateway"]["NatGatewayId"]
        ec2.create_route(RouteTableId=inward, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=made)
        laid["nat_gateway_id"] = made
    return laid


def _table(ec2: t.Any, vpc: str, subnets: list[str]) -> str:
    made = str(ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"])
    for subnet in subnets:
        ec2.associate_route_table(RouteTableId=made, SubnetId=subnet)
    return made

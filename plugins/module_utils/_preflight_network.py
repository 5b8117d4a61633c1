# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The network's part of a preflight: subnets, zones, and the way out of private ones. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._preflight_types import (
    FAILED,
    OK,
    WARNING,
    Check,
    Facts,
    Failure,
    Json,
    Prerequisites,
    unanswered,
)

EVERYWHERE = "0.0.0.0/0"
LEAST_ZONES = 2


def network_checks(wanted: Prerequisites, facts: Facts) -> list[Check]:
    """Verdicts on the subnets that were named."""
    if not wanted.subnet_ids:
        return []
    subject = ", ".join(wanted.subnet_ids)
    if isinstance(facts.subnets, Failure):
        return [unanswered("subnets", subject, facts.subnets)]
    found = [_subnets(wanted, facts.subnets), _zones(facts)]
    if isinstance(facts.route_tables, Failure):
        return [*found, unanswered("routes", subject, facts.route_tables)]
    for subnet in facts.subnets:
        table = table_of(subnet, facts.route_tables)
        found += [_private(subnet, table), _way_out(wanted, subnet, table, facts.endpoints)]
    return [*found, *_addresses(wanted, facts.subnets)]


def table_of(subnet: Json, tables: t.Sequence[Json]) -> Json:
    """The route table that a subnet uses: its own, else the VPC's main one."""
    of_vpc = [one for one in tables if one["VpcId"] == subnet["VpcId"]]

    def having(key: str, value: t.Any) -> Json | None:
        for one in of_vpc:
            if any(link.get(key) == value for link in one.get("Associations", [])):
                return one
        return None

    return having("SubnetId", subnet["SubnetId"]) or having("Main", True) or {}


def _subnets(wanted: Prerequisites, subnets: t.Sequence[Json]) -> Check:
    subject = ", ".join(wanted.subnet_ids)
    missing = sorted(set(wanted.subnet_ids) - {one["SubnetId"] for one in subnets})
    if missing:
        return Check(
            "subnets", subject, f"missing {', '.join(missing)}", FAILED, "Name subnets of this region and account."
        )
    vpcs = sorted({one["VpcId"] for one in subnets})
    if len(vpcs) > 1 or (wanted.vpc_id and vpcs != [wanted.vpc_id]):
        remedy = f"Name subnets of {wanted.vpc_id or 'one VPC'} only."
        return Check("subnets", subject, f"in {', '.join(vpcs)}", FAILED, remedy)
    return Check("subnets", subject, f"in {vpcs[0]}", OK)


def _zones(facts: Facts) -> Check:
    zones = sorted(facts.zones())
    if len(zones) < LEAST_ZONES:
        remedy = "Add a subnet in another zone: with one, a zone's failure or lack of capacity stops the fleet."
        return Check("zones", ", ".join(zones), "only one zone", FAILED, remedy)
    return Check("zones", ", ".join(zones), f"{len(zones)} zones", OK)


def _default(table: Json) -> Json:
    return next((one for one in table.get("Routes", []) if one.get("DestinationCidrBlock") == EVERYWHERE), {})


def _private(subnet: Json, table: Json) -> Check:
    name = subnet["SubnetId"]
    if str(_default(table).get("GatewayId", "")).startswith("igw-"):
        remedy = "Name subnets whose default route goes to a NAT gateway: runners need no public address."
        return Check("private", name, f"routes to {_default(table)['GatewayId']}", FAILED, remedy)
    if subnet.get("MapPublicIpOnLaunch"):
        remedy = "Turn MapPublicIpOnLaunch off: addresses are paid for and of no use there."
        return Check("private", name, "hands out public addresses", WARNING, remedy)
    return Check("private", name, "private", OK)


def _way_out(wanted: Prerequisites, subnet: Json, table: Json, endpoints: t.Any) -> Check:
    name, route = subnet["SubnetId"], _default(table)
    target = next((str(route[key]) for key in sorted(route) if key.endswith("Id") and route[key]), "")
    if route.get("State") == "blackhole":
        return Check(
            "way_out", name, f"{target} is gone", FAILED, "Point the default route at a NAT gateway that is there."
        )
    if target:
        return Check("way_out", name, target, OK)
    if isinstance(endpoints, Failure):
        return unanswered("way_out", name, endpoints)
    missing = [one for one in wanted.endpoint_services if not _reached(one, wanted.region, table, endpoints)]
    if missing:
        services = ", ".join(missing)
        remedy = f"Add a NAT gateway and a default route to it, or VPC endpoints for {services} and a way to GitLab."
        return Check("way_out", name, "no default route", FAILED, remedy)
    remedy = "Check that GitLab and the packages can be reached: endpoints lead to AWS only."
    return Check("way_out", name, "endpoints, no default route", WARNING, remedy)


def _reached(service: str, region: str, table: Json, endpoints: t.Sequence[Json]) -> bool:
    """Whether an endpoint of the VPC leads to the service; one of the kind Gateway needs the subnet's route table."""
    for one in endpoints:
        there = one.get("State", "available").lower() == "available"
        routed = one.get("VpcEndpointType") != "Gateway" or table.get("RouteTableId") in one.get("RouteTableIds", [])
        if there and routed and one["ServiceName"].endswith(f".{region}.{service}"):
            return True
    return False


def _addresses(wanted: Prerequisites, subnets: t.Sequence[Json]) -> list[Check]:
    if not wanted.max_instances:
        return []
    free = sum(int(one.get("AvailableIpAddressCount", 0)) for one in subnets)
    subject = f"{wanted.max_instances} instances"
    if free < wanted.max_instances:
        return [Check("addresses", subject, f"{free} free", FAILED, "Name larger or more subnets, or fewer instances.")]
    return [Check("addresses", subject, f"{free} free", OK)]

# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Resource types that moto's CloudFormation does not create.

moto skips them without a word. Here a type that AWS has (cfn-lint's copy of its schemas knows) becomes a record, with a
physical id and its attributes made up from the name, and one that AWS does not have is refused as AWS refuses it.
"""

from __future__ import annotations

import typing as t

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER
from moto.cloudformation import parsing
from moto.cloudformation.exceptions import ValidationError
from moto.core.common_models import CloudFormationModel

Json = dict[str, t.Any]


def schema(kind: str, region: str = "us-east-1") -> Json:
    """The provider's schema of a resource type; empty for a type that AWS does not have."""
    try:
        return dict(PROVIDER_SCHEMA_MANAGER.get_resource_schema(region, kind).schema)
    except Exception:  # cfn-lint's own, which it does not export
        return {}


class Recorded(CloudFormationModel):
    """A resource that nothing stands behind."""

    def __init__(self, name: str, properties: Json, account_id: str, region: str) -> None:
        self.name = name
        self.properties = properties
        self._arn = f"arn:aws:recorded:{region}:{account_id}:{name}"

    @property
    def physical_resource_id(self) -> str:
        return self.name

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return True

    def get_cfn_attribute(self, attribute_name: str) -> str:
        return self._arn if attribute_name.endswith("Arn") else f"{self.name}.{attribute_name}"

    @staticmethod
    def cloudformation_name_type() -> str:
        return ""

    @staticmethod
    def cloudformation_type() -> str:
        return "Recorded"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Json, account_id: str, region_name: str, **kwargs: t.Any
    ) -> Recorded:
        return cls(resource_name, cloudformation_json.get("Properties", {}), account_id, region_name)

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: Recorded,
        new_resource_name: str,
        cloudformation_json: Json,
        account_id: str,
        region_name: str,
    ) -> Recorded:
        original_resource.properties = cloudformation_json.get("Properties", {})
        return original_resource

    @classmethod
    def delete_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Json, account_id: str, region_name: str
    ) -> None:
        """Nothing stands behind it."""


_of_moto = parsing.resource_class_from_type


def _class_of(kind: str) -> t.Any:
    if kind.startswith("Custom::") or kind in parsing.NULL_MODELS or kind in parsing.get_model_map():
        return _of_moto(kind)
    return Recorded


def install() -> None:
    """Have moto create these types, too."""
    parsing.resource_class_from_type = _class_of


def refuse_unknown(template: Json) -> None:
    """Refuse types that AWS does not have, in AWS's words."""
    kinds = {str(resource.get("Type")) for resource in template["Resources"].values()}
    unknown = sorted(kind for kind in kinds if not (_known(kind) or schema(kind)))
    if unknown:
        raise ValidationError(message=f"Template format error: Unrecognized resource types: [{', '.join(unknown)}]")


def _known(kind: str) -> bool:
    return kind.startswith("Custom::") or kind in parsing.NULL_MODELS or kind in parsing.get_model_map()

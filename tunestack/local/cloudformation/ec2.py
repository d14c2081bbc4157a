"""EC2 resources: security group rules and flow logs, and attributes of the VPC and its endpoints."""

import html
import json
import uuid
from collections.abc import Callable
from typing import Any

Properties = dict[str, Any]
_ALL_TRAFFIC = "-1"


def ec2_handlers() -> dict[str, dict[str, Any]]:
    """The handlers of types that ministack lacks."""
    return {
        "AWS::EC2::SecurityGroupIngress": _rule_handlers("IpPermissions"),
        "AWS::EC2::SecurityGroupEgress": _rule_handlers("IpPermissionsEgress"),
        "AWS::EC2::FlowLog": {"create": _create_flow_log, "update": _update_flow_log, "delete": _delete_flow_log},
    }


def amend_ec2(table: dict[str, dict[str, Any]]) -> None:
    """Give the VPC its CidrBlock attribute, and let endpoints be read back whole."""
    vpc = table["AWS::EC2::VPC"]
    for operation in ("create", "update"):
        vpc[operation] = _with_cidr_block(vpc[operation])
    _show_endpoints_whole()


def _rule_handlers(side: str) -> dict[str, Any]:
    """Rules that are resources of their own, kept in their group."""

    def rules(properties: Properties) -> list[Any]:
        from ministack.services import ec2

        group = ec2._security_groups.get(properties["GroupId"])
        kept: list[Any] = group.setdefault(side, []) if group else []
        return kept

    def permissions(properties: Properties) -> list[Any]:
        from ministack.services.cloudformation import provisioners

        made: list[Any] = provisioners._ec2_sg_permissions([properties])
        return made

    def create(logical_id: str, properties: Properties, stack: str) -> tuple[str, Properties]:
        kept = rules(properties)
        if side == "IpPermissionsEgress":
            # A group that names its egress has no rule that allows all.
            kept[:] = [rule for rule in kept if not _allows_all(rule)]
        kept.extend(permissions(properties))
        return f"sgr-{uuid.uuid4().hex[:17]}", {}

    def delete(physical_id: str, properties: Properties) -> None:
        kept = rules(properties)
        for rule in permissions(properties):
            if rule in kept:
                kept.remove(rule)

    def update(physical_id: str, old: Properties, new: Properties, stack: str) -> tuple[str, Properties]:
        delete(physical_id, old)
        create("", new, stack)
        return physical_id, {}

    return {"create": create, "update": update, "delete": delete}


def _allows_all(rule: Properties) -> bool:
    everywhere = {"CidrIp": "0.0.0.0/0"} in rule.get("IpRanges", [])
    return rule.get("IpProtocol") == _ALL_TRAFFIC and everywhere


def _create_flow_log(logical_id: str, properties: Properties, stack: str) -> tuple[str, Properties]:
    from ministack.services import ec2
    from ministack.services.cloudformation import provisioners

    name = f"fl-{uuid.uuid4().hex[:17]}"
    ec2._flow_logs[name] = {
        "FlowLogId": name,
        "ResourceId": properties["ResourceId"],
        "ResourceType": properties["ResourceType"],
        "TrafficType": properties.get("TrafficType", "ALL"),
        "LogDestinationType": properties.get("LogDestinationType", "cloud-watch-logs"),
        "LogDestination": properties.get("LogDestination") or properties.get("LogGroupName", ""),
        "LogGroupName": properties.get("LogGroupName"),
        "DeliverLogsPermissionArn": properties.get("DeliverLogsPermissionArn"),
        "FlowLogStatus": "ACTIVE",
        "CreationTime": ec2._now_ts(),
    }
    provisioners._ec2_apply_tags(name, properties)
    return name, {"Id": name}


def _update_flow_log(physical_id: str, old: Properties, new: Properties, stack: str) -> tuple[str, Properties]:
    _delete_flow_log(physical_id, old)
    return _create_flow_log("", new, stack)


def _delete_flow_log(physical_id: str, properties: Properties) -> None:
    from ministack.services import ec2

    ec2._flow_logs.pop(physical_id, None)
    ec2._tags.pop(physical_id, None)


def _with_cidr_block(operation: Callable[..., tuple[str, Properties]]) -> Callable[..., tuple[str, Properties]]:
    def wrapped(*arguments: Any, **options: Any) -> tuple[str, Properties]:
        from ministack.services import ec2

        physical_id, attributes = operation(*arguments, **options)
        vpc = ec2._vpcs.get(physical_id) or {}
        return physical_id, {**attributes, "CidrBlock": vpc.get("CidrBlock", "")}

    return wrapped


def _show_endpoints_whole() -> None:
    """DescribeVpcEndpoints leaves out what ministack keeps: groups, private DNS, policy."""
    from ministack.services import ec2

    fields = ec2._vpce_fields_xml

    def whole(endpoint: Properties, tag: str = "item") -> str:
        groups = "".join(f"<item><groupId>{name}</groupId></item>" for name in endpoint.get("SecurityGroupIds", []))
        policy = endpoint.get("PolicyDocument") or ""
        policy_text = policy if isinstance(policy, str) else json.dumps(policy)
        private_dns = str(endpoint.get("PrivateDnsEnabled", False)).lower()
        more = (
            f"<groupSet>{groups}</groupSet><privateDnsEnabled>{private_dns}</privateDnsEnabled>"
            f"<policyDocument>{html.escape(policy_text)}</policyDocument>"
        )
        xml: str = fields(endpoint, tag)
        head, end, tail = xml.rpartition(f"</{tag}>")
        return f"{head}{more}{end}{tail}"

    ec2._vpce_fields_xml = whole

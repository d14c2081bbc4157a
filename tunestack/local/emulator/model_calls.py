"""Models and model package groups: what moto keeps of them, and what it doesn't."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from tunestack.local.emulator.caller import Caller
from tunestack.local.emulator.events import emit
from tunestack.local.emulator.requests import check_request
from tunestack.local.runner.errors import ApiError

Request = dict[str, Any]


class ModelCalls:
    """The calls about models and groups, for one caller (an AccountSageMaker)."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def actions(self) -> dict[str, Callable[[Request], Request]]:
        """The calls by the API's names."""
        return {
            "CreateModel": self._create_model,
            "CreateModelPackage": self._create_model_package,
            "DeleteModelPackage": self._delete_version,
            "DeleteModelPackageGroup": self._delete_group,
            "DeleteModelPackageGroupPolicy": self._delete_group_policy,
            "DescribeModel": self._describe_model,
            "ListModelPackages": self._list_versions,
            "GetModelPackageGroupPolicy": self._get_group_policy,
            "PutModelPackageGroupPolicy": self._put_group_policy,
            "UpdateModelPackage": self._update_version,
        }

    def _moto_call(self, action: str, request: Request) -> Request:
        caller = self._caller
        try:
            answer: Request = caller.service.moto.call(action, account=caller.account, region=caller.region, **request)
        except ClientError as error:
            raise ApiError(error.response["Error"]["Code"], error.response["Error"]["Message"]) from None
        return answer

    def _create_model(self, request: Request) -> Request:
        check_request("CreateModel", request)
        made = self._moto_call("CreateModel", request)
        isolated = {"EnableNetworkIsolation": request.get("EnableNetworkIsolation", False)}
        self._caller.store.put("models", self._key(request["ModelName"]), isolated)
        return made

    def _create_model_package(self, request: Request) -> Request:
        check_request("CreateModelPackage", request)
        made = self._moto_call("CreateModelPackage", request)
        self._tell(made["ModelPackageArn"])
        return made

    def _describe_model(self, request: Request) -> Request:
        return self._moto_call("DescribeModel", request) | (
            self._caller.store.get("models", self._key(request["ModelName"])) or {}
        )

    def _put_group_policy(self, request: Request) -> Request:
        name = request["ModelPackageGroupName"]
        self._caller.store.put("group-policies", self._key(name), {"ResourcePolicy": request["ResourcePolicy"]})
        described = self._moto_call("DescribeModelPackageGroup", {"ModelPackageGroupName": name})
        return {"ModelPackageGroupArn": described["ModelPackageGroupArn"]}

    def _get_group_policy(self, request: Request) -> Request:
        policy: Request | None = self._caller.store.get("group-policies", self._key(request["ModelPackageGroupName"]))
        if policy is None:
            raise ApiError("ValidationException", "Cannot find a resource policy of the model package group")
        return policy

    def _delete_group_policy(self, request: Request) -> Request:
        self._caller.store.delete("group-policies", self._key(request["ModelPackageGroupName"]))
        return {}

    def _update_version(self, request: Request) -> Request:
        """moto forgets what an update doesn't name: metadata is merged here, the rest kept."""
        check_request("UpdateModelPackage", request)
        described = self._moto_call("DescribeModelPackage", {"ModelPackageName": request["ModelPackageArn"]})
        gone = request.get("CustomerMetadataPropertiesToRemove", ())
        metadata = {**described.get("CustomerMetadataProperties", {}), **request.get("CustomerMetadataProperties", {})}
        kept = {name: value for name, value in metadata.items() if name not in gone}
        whole = {name: value for name, value in request.items() if name != "CustomerMetadataPropertiesToRemove"}
        for name in ("ModelApprovalStatus", "ApprovalDescription"):
            if name in described:
                whole.setdefault(name, described[name])
        answer = self._moto_call("UpdateModelPackage", {**whole, "CustomerMetadataProperties": kept})
        self._tell(answer["ModelPackageArn"])
        return answer

    def _tell(self, arn: str) -> None:
        """A version changed: the service tells EventBridge."""
        caller = self._caller
        emit(
            "SageMaker Model Package State Change",
            self._moto_call("DescribeModelPackage", {"ModelPackageName": arn}),
            resource=arn,
            account=caller.account,
            region=caller.region,
        )

    def _delete_version(self, request: Request) -> Request:
        described = self._moto_call("DescribeModelPackage", request)
        place = {"account": self._caller.account, "region": self._caller.region}
        self._caller.service.moto.forget_version(described["ModelPackageArn"], **place)
        return {}

    def _list_versions(self, request: Request) -> Request:
        if "ModelPackageGroupName" in request:
            self._moto_call("DescribeModelPackageGroup", {"ModelPackageGroupName": request["ModelPackageGroupName"]})
        return self._moto_call("ListModelPackages", request)

    def _delete_group(self, request: Request) -> Request:
        name = request["ModelPackageGroupName"]
        if self._list_versions({"ModelPackageGroupName": name}).get("ModelPackageSummaryList"):
            raise ApiError("ConflictException", f"Model Package Group {name} has model versions: delete them first")
        self._delete_group_policy(request)
        name = request["ModelPackageGroupName"]
        self._caller.service.moto.forget_group(name, account=self._caller.account, region=self._caller.region)
        return {}

    def _key(self, name: str) -> str:
        return f"{self._caller.account}.{self._caller.region}.{name}"

"""Tags of what there is: of jobs, which are ours, and of what moto keeps."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from tunestack.job_api import APIS
from tunestack.local.emulator.caller import Caller
from tunestack.local.emulator.list_calls import page
from tunestack.local.runner.errors import ApiError

Request = dict[str, Any]
Tags = list[dict[str, str]]
_NOUNS = {api.resource: api.noun for api in APIS}


class TagCalls:
    """The calls about tags, for one caller (an AccountSageMaker)."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def actions(self) -> dict[str, Callable[[Request], Request]]:
        """The calls by the API's names."""
        return {"AddTags": self._add, "DeleteTags": self._delete, "ListTags": self._list}

    def _list(self, request: Request) -> Request:
        return page("Tags", self._tags(request["ResourceArn"]), request)

    def _add(self, request: Request) -> Request:
        arn, new = request["ResourceArn"], {tag["Key"]: tag["Value"] for tag in request["Tags"]}
        now = {tag["Key"]: tag["Value"] for tag in self._tags(arn)} | new
        tags = [{"Key": key, "Value": value} for key, value in now.items()]
        self._replace(arn, tags)
        return {"Tags": tags}

    def _delete(self, request: Request) -> Request:
        arn = request["ResourceArn"]
        self._replace(arn, [tag for tag in self._tags(arn) if tag["Key"] not in request["TagKeys"]])
        return {}

    def _tags(self, arn: str) -> Tags:
        if job := self._job(arn):
            return list((self._caller.store.get(*job) or {}).get("Tags", []))
        found: Tags = self._moto("ListTags", arn)["Tags"]
        return found

    def _replace(self, arn: str, tags: Tags) -> None:
        if job := self._job(arn):
            self._caller.store.update(*job, Tags=tags)
            return
        old = [tag["Key"] for tag in self._tags(arn)]
        self._moto("DeleteTags", arn, TagKeys=old)
        self._moto("AddTags", arn, Tags=tags)

    def _job(self, arn: str) -> tuple[str, str] | None:
        """Kind and name of the record of a job, where the ARN is one's."""
        resource, _, name = arn.rpartition(":")[2].partition("/")
        if resource not in _NOUNS:
            return None
        record = self._caller.store.get(_NOUNS[resource], name)
        if record is None or record[f"{_NOUNS[resource]}Arn"] != arn:
            raise _not_found(arn)
        return _NOUNS[resource], name

    def _moto(self, action: str, arn: str, **request: Any) -> Request:
        caller = self._caller
        place = {"account": caller.account, "region": caller.region}
        try:
            answer: Request = caller.service.moto.call(action, **place, ResourceArn=arn, **request)
        except (ApiError, ClientError):
            raise _not_found(arn) from None
        return answer


def _not_found(arn: str) -> ApiError:
    return ApiError("ValidationException", f"Requested resource not found: {arn}")

"""moto's SageMaker API, in process: calls by name, and what they change is on the disk before they are answered."""

import json
import pickle
from pathlib import Path
from threading import RLock
from typing import Any

from botocore.exceptions import ClientError
from botocore.model import OperationNotFoundError

from tunestack.files import write_whole
from tunestack.local.runner.errors import ApiError

_READING = ("Describe", "Get", "List", "Search")


class MotoSageMaker:
    """The SageMaker API for everything that isn't a pipeline execution or a job."""

    def __init__(self, file: Path) -> None:
        from moto.server import create_backend_app

        self._app = create_backend_app("sagemaker")
        self._file, self._lock = file, RLock()
        self._load()

    def _load(self) -> None:
        from moto.sagemaker.models import sagemaker_backends

        if not self._file.exists():
            return
        # Only what `_save` wrote into this project's own folder is read here.
        for account, regions in pickle.loads(self._file.read_bytes()).items():
            for region, attributes in regions.items():
                sagemaker_backends[account][region].__dict__.update(attributes)

    def _save(self) -> None:
        from moto.sagemaker.models import sagemaker_backends

        with self._lock:
            backends = {
                account: {region: backend.__dict__ for region, backend in regions.items()}
                for account, regions in sagemaker_backends.items()
            }
            write_whole(self._file, pickle.dumps(backends))

    def _answer(self, action: str, body: bytes, *, account: str, region: str) -> tuple[int, bytes]:
        credential = f"{account}/20260101/{region}/sagemaker/aws4_request"
        answer = self._app.test_client().post(
            "/",
            data=body,
            base_url=f"http://api.sagemaker.{region}.amazonaws.com",
            headers={
                "Authorization": f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=x",
                "Content-Type": "application/x-amz-json-1.1",
                "X-Amz-Target": f"SageMaker.{action}",
                "x-moto-account-id": account,
            },
        )
        return answer.status_code, answer.data

    def call(self, action: str, *, account: str, region: str, **request: Any) -> dict[str, Any]:
        """Make one call.

        Raises:
            ClientError: the service refuses it.
            ApiError: moto doesn't have it, or breaks at it.
        """
        with self._lock:
            # One at a time: what is saved must not change meanwhile.
            return self._call(action, account=account, region=region, request=request)

    def _call(self, action: str, *, account: str, region: str, request: dict[str, Any]) -> dict[str, Any]:
        try:
            status, body = self._answer(action, json.dumps(request).encode(), account=account, region=region)
        except (NotImplementedError, OperationNotFoundError):
            raise ApiError("UnsupportedOperation", f"the local AWS has no {action}") from None
        except Exception as error:
            raise ApiError("InternalFailure", f"the local AWS broke at {action}: {error!r}") from error
        answer: dict[str, Any] = json.loads(body) if body else {}
        if status >= 400:
            message = answer.get("message") or answer.get("Message") or "refused"
            raise ClientError(
                {"Error": {"Code": answer.get("__type", "ValidationException"), "Message": message}}, action
            )
        if not action.startswith(_READING):
            self._save()
        return answer

    def forget_version(self, arn: str, *, account: str, region: str) -> None:
        """Delete a model package; moto has no call for it.

        It numbers a new version by how many there are: one that is gone counts on, where nobody finds it.
        """
        from moto.sagemaker.models import sagemaker_backends

        with self._lock:
            packages = sagemaker_backends[account][region].model_packages
            if gone := packages.pop(arn, None):
                gone.model_package_version = None
                packages[f"{arn}#gone"] = gone
            self._save()

    def forget_group(self, name: str, *, account: str, region: str) -> None:
        """Delete a model package group; moto has no call for it."""
        from moto.sagemaker.models import sagemaker_backends

        with self._lock:
            backend = sagemaker_backends[account][region]
            backend.model_package_groups.pop(name, None)
            for key in [key for key, item in backend.model_packages.items() if item.model_package_group_name == name]:
                del backend.model_packages[key]
            self._save()

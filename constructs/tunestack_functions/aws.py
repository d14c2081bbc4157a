"""The functions' clients."""

from typing import Any


def client(name: str, **config: Any) -> Any:
    """A client of a service; `config` are options of botocore's Config."""
    # Not at the top: who reads what a function declares needs no boto3.
    import boto3
    from botocore.config import Config

    return boto3.client(name, config=Config(**config)) if config else boto3.client(name)

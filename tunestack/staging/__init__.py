"""Puts data sets and base models into an environment's buckets, under names that tell what they are."""

from tunestack.staging.data_set import add_batch_input, add_data_set
from tunestack.staging.model import add_model, download_from_hub
from tunestack.staging.upload import StagingError

__all__ = ["StagingError", "add_batch_input", "add_data_set", "add_model", "download_from_hub"]

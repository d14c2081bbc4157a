"""Puts data sets and base models into an environment's buckets, under names that tell what they are."""

from tunestack.uploads.data_set import add_batch_input, add_data_set
from tunestack.uploads.inspection import DataSetView, QuestionsView, inspect_data_set, inspect_questions
from tunestack.uploads.model import add_model, download_from_hub
from tunestack.uploads.proof import prove_data_set
from tunestack.uploads.upload import UploadError

__all__ = [
    "DataSetView",
    "QuestionsView",
    "UploadError",
    "add_batch_input",
    "add_data_set",
    "add_model",
    "download_from_hub",
    "inspect_data_set",
    "inspect_questions",
    "prove_data_set",
]

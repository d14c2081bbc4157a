"""The API's rules that shapes don't show, one a file, and the kit's own on keys and secrets.

A check says in `KINDS` which kinds of step it looks at (None: all), and yields what is wrong with one.
"""

from types import ModuleType

from tunestack.definition.checks import (
    cache,
    container_environment,
    hyperparameter_count,
    instance_preferences,
    model_containers,
    model_data,
    model_package_group,
    model_package_tags,
    output_key,
    pending_time,
    processing_input_source,
    processing_local_path,
    retries,
    run_time_limit,
    secrets,
    spot_checkpoint,
    spot_wait,
    training_algorithm,
    training_members,
    transform_driver,
    transform_model,
    transform_payload,
    transform_split,
    volume_key,
    volume_size,
)

CHECKS: tuple[ModuleType, ...] = (
    cache,
    container_environment,
    hyperparameter_count,
    instance_preferences,
    model_containers,
    model_data,
    model_package_group,
    model_package_tags,
    output_key,
    pending_time,
    processing_input_source,
    processing_local_path,
    retries,
    run_time_limit,
    secrets,
    spot_checkpoint,
    spot_wait,
    training_algorithm,
    training_members,
    transform_driver,
    transform_model,
    transform_payload,
    transform_split,
    volume_key,
    volume_size,
)

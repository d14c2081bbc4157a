"""Build our pipeline with the SageMaker SDK's own classes, without network: `rebuild.py DEFINITION.json`.

Runs in .venv-sdk. Only values come from the given definition; every key of a request is the SDK's. Prints
the SDK's definition.
"""

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

# The SDK reads its environment when it is imported.
os.environ.update(
    AWS_ACCESS_KEY_ID="x",
    AWS_SECRET_ACCESS_KEY="x",
    AWS_DEFAULT_REGION="us-east-1",
    AWS_EC2_METADATA_DISABLED="true",
    SAGEMAKER_VALIDATE_ROLE="false",
)
import boto3
import jsonschema
from sagemaker.core import network, processing, shapes, transformer
from sagemaker.core.model_metrics import MetricsSource, ModelMetrics
from sagemaker.core.training import configs
from sagemaker.core.workflow import conditions, functions, parameters
from sagemaker.core.workflow.execution_variables import ExecutionVariable
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow import condition_step, fail_step, model_step, steps
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.serve import ModelBuilder
from sagemaker.train import ModelTrainer

# Validating its own output takes the SDK seconds.
jsonschema.validate = lambda *_, **__: None
Json = dict[str, Any]
UNUSED_ROLE = "arn:aws:iam::123456789012:role/unused"


class Rebuild:
    """The SDK's objects, made in the definition's order."""

    def __init__(self, definition: Json) -> None:
        opt_out = {"SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}}}
        self.session = PipelineSession(
            boto_session=boto3.Session(region_name="us-east-1"), sagemaker_config={"SchemaVersion": "1.0", **opt_out}
        )
        self.session._default_bucket = "unused"
        self.parameters = {item["Name"]: self.parameter(item) for item in definition["Parameters"]}
        self.steps: dict[str, Any] = {}
        self.top = [self.step(item) for item in definition["Steps"]]

    def definition(self) -> str:
        made: str = Pipeline(
            name="pipeline",
            parameters=list(self.parameters.values()),
            steps=self.top,
            pipeline_experiment_config=None,
            sagemaker_session=self.session,
        ).definition()
        return made

    @staticmethod
    def parameter(given: Json) -> Any:
        kinds = {
            "String": parameters.ParameterString,
            "Integer": parameters.ParameterInteger,
            "Float": parameters.ParameterFloat,
        }
        choices = {"enum_values": given["EnumValues"]} if "EnumValues" in given else {}
        return kinds[given["Type"]](name=given["Name"], default_value=given["DefaultValue"], **choices)

    def value(self, given: Any) -> Any:
        if isinstance(given, list):
            return [self.value(item) for item in given]
        if not isinstance(given, dict):
            return given
        match given:
            case {"Get": path}:
                return self.reference(path)
            case {"Std:Join": {"On": on, "Values": values}}:
                return functions.Join(on=on, values=self.value(values))
            case {"Std:JsonGet": {"PropertyFile": {"Get": path}, "Path": json_path}}:
                _, step, _, name = path.split(".")
                file = next(item for item in self.steps[step].property_files if item.name == name)
                return functions.JsonGet(step_name=step, property_file=file, json_path=json_path)
        return {key: self.value(item) for key, item in given.items()}

    def reference(self, path: str) -> Any:
        root, name, *_ = path.split(".")
        if root == "Parameters":
            return self.parameters[name]
        if root == "Execution":
            return ExecutionVariable(name)
        found = self.steps[name].properties
        for attribute, key in re.findall(r"\.(\w+)|\['(\w+)'\]", path.split(name, 1)[1]):
            found = getattr(found, attribute) if attribute else found[key]
        return found

    def step(self, given: Json) -> Any:
        make = getattr(self, given["Type"].lower())
        arguments = given["Arguments"] if given["Type"] == "Condition" else self.value(given["Arguments"])
        made = make(given, arguments, {"name": given["Name"], "description": given["Description"]})
        self.steps[made.name] = made
        return made

    def processing(self, given: Json, arguments: Json, common: Json) -> Any:
        cluster, isolation = arguments["ProcessingResources"]["ClusterConfig"], arguments["NetworkConfig"]
        processor = processing.Processor(
            role=arguments["RoleArn"],
            image_uri=arguments["AppSpecification"]["ImageUri"],
            entrypoint=arguments["AppSpecification"]["ContainerEntrypoint"],
            instance_count=cluster["InstanceCount"],
            instance_type=cluster["InstanceType"],
            volume_size_in_gb=cluster["VolumeSizeInGB"],
            volume_kms_key=cluster.get("VolumeKmsKeyId"),
            output_kms_key=arguments["ProcessingOutputConfig"]["KmsKeyId"],
            max_runtime_in_seconds=arguments["StoppingCondition"]["MaxRuntimeInSeconds"],
            tags=arguments["Tags"],
            network_config=network.NetworkConfig(
                enable_network_isolation=isolation["EnableNetworkIsolation"],
                encrypt_inter_container_traffic=isolation["EnableInterContainerTrafficEncryption"],
                security_group_ids=isolation["VpcConfig"]["SecurityGroupIds"],
                subnets=isolation["VpcConfig"]["Subnets"],
            ),
            sagemaker_session=self.session,
        )
        request = processor.run(
            inputs=[self.processing_input(item) for item in arguments["ProcessingInputs"]],
            outputs=[self.processing_output(item) for item in arguments["ProcessingOutputConfig"]["Outputs"]],
            arguments=arguments["AppSpecification"]["ContainerArguments"],
        )
        files = [
            PropertyFile(name=file["PropertyFileName"], output_name=file["OutputName"], path=file["FilePath"])
            for file in given.get("PropertyFiles", [])
        ]
        return steps.ProcessingStep(step_args=request, property_files=files, **common)

    @staticmethod
    def processing_input(item: Json) -> Any:
        source = shapes.ProcessingS3Input(
            s3_uri=item["S3Input"]["S3Uri"],
            local_path=item["S3Input"]["LocalPath"],
            s3_data_type="S3Prefix",
            s3_input_mode="File",
            s3_data_distribution_type="FullyReplicated",
            s3_compression_type="None",
        )
        return shapes.ProcessingInput(input_name=item["InputName"], app_managed=False, s3_input=source)

    @staticmethod
    def processing_output(item: Json) -> Any:
        target = shapes.ProcessingS3Output(
            s3_uri=item["S3Output"]["S3Uri"], local_path=item["S3Output"]["LocalPath"], s3_upload_mode="EndOfJob"
        )
        return shapes.ProcessingOutput(output_name=item["OutputName"], app_managed=False, s3_output=target)

    def training(self, given: Json, arguments: Json, common: Json) -> Any:
        algorithm, resources = arguments["AlgorithmSpecification"], arguments["ResourceConfig"]
        stopping, output = arguments["StoppingCondition"], arguments["OutputDataConfig"]
        trainer = ModelTrainer(
            role=arguments["RoleArn"],
            training_image=algorithm["TrainingImage"],
            training_input_mode=algorithm["TrainingInputMode"],
            hyperparameters=arguments["HyperParameters"],
            environment={},
            compute=configs.Compute(
                instance_type=resources["InstanceType"],
                instance_count=resources["InstanceCount"],
                volume_size_in_gb=resources["VolumeSizeInGB"],
                enable_managed_spot_training=arguments.get("EnableManagedSpotTraining"),
            ),
            networking=configs.Networking(
                security_group_ids=arguments["VpcConfig"]["SecurityGroupIds"],
                subnets=arguments["VpcConfig"]["Subnets"],
                enable_network_isolation=arguments["EnableNetworkIsolation"],
                enable_inter_container_traffic_encryption=arguments["EnableInterContainerTrafficEncryption"],
            ),
            stopping_condition=configs.StoppingCondition(max_runtime_in_seconds=stopping["MaxRuntimeInSeconds"]),
            output_data_config=configs.OutputDataConfig(
                s3_output_path=output["S3OutputPath"],
                kms_key_id=output["KmsKeyId"],
                compression_type=output["CompressionType"],
            ),
            checkpoint_config=configs.CheckpointConfig(
                s3_uri=arguments["CheckpointConfig"]["S3Uri"], local_path=arguments["CheckpointConfig"]["LocalPath"]
            ),
            tags=[configs.Tag(key=tag["Key"], value=tag["Value"]) for tag in arguments["Tags"]],
            sagemaker_session=self.session,
        ).with_metric_definitions(
            [
                configs.MetricDefinition(name=item["Name"], regex=item["Regex"])
                for item in algorithm["MetricDefinitions"]
            ]
        )
        channels = [
            configs.InputData(channel_name=item["ChannelName"], data_source=item["DataSource"]["S3DataSource"]["S3Uri"])
            for item in arguments["InputDataConfig"]
        ]
        return steps.TrainingStep(step_args=trainer.train(input_data_config=channels), **common)

    def condition(self, given: Json, arguments: Json, common: Json) -> Any:
        tests = [
            conditions.ConditionLessThanOrEqualTo(
                left=self.value(item["LeftValue"]), right=self.value(item["RightValue"])
            )
            for item in arguments["Conditions"]
        ]
        branches = {
            "if_steps": [self.step(item) for item in arguments["IfSteps"]],
            "else_steps": [self.step(item) for item in arguments["ElseSteps"]],
        }
        return condition_step.ConditionStep(conditions=tests, **branches, **common)

    def fail(self, given: Json, arguments: Json, common: Json) -> Any:
        return fail_step.FailStep(error_message=arguments["ErrorMessage"], **common)

    def model(self, given: Json, arguments: Json, common: Json) -> Any:
        networking = configs.Networking(
            security_group_ids=arguments["VpcConfig"]["SecurityGroupIds"],
            subnets=arguments["VpcConfig"]["Subnets"],
            enable_network_isolation=arguments["EnableNetworkIsolation"],
        )
        builder = self.builder(arguments["PrimaryContainer"], arguments["ExecutionRoleArn"], networking)
        return model_step.ModelStep(step_args=builder.build(tags=arguments["Tags"]), **common)

    def registermodel(self, given: Json, arguments: Json, common: Json) -> Any:
        inference = arguments["InferenceSpecification"]
        statistics = arguments["ModelMetrics"]["ModelQuality"]["Statistics"]
        source = MetricsSource(content_type=statistics["ContentType"], s3_uri=statistics["S3Uri"])
        request = self.builder(inference["Containers"][0], UNUSED_ROLE, None).register(
            model_package_group_name=arguments["ModelPackageGroupName"],
            content_types=inference["SupportedContentTypes"],
            response_types=inference["SupportedResponseMIMETypes"],
            approval_status=arguments["ModelApprovalStatus"],
            model_metrics=ModelMetrics(model_statistics=source),
            customer_metadata_properties=arguments["CustomerMetadataProperties"],
        )
        return model_step.ModelStep(step_args=request, **common)

    def builder(self, container: Json, role: str, networking: Any) -> Any:
        return ModelBuilder(
            image_uri=container["Image"],
            s3_model_data_url=container["ModelDataUrl"],
            env_vars=container["Environment"],
            role_arn=role,
            dependencies={},  # else script mode's variables are added
            instance_type="ml.m5.xlarge",  # not written, and else looked up
            network=networking,
            sagemaker_session=self.session,
        )

    def transform(self, given: Json, arguments: Json, common: Json) -> Any:
        source, output = arguments["TransformInput"], arguments["TransformOutput"]
        resources = arguments["TransformResources"]
        job = transformer.Transformer(
            model_name=arguments["ModelName"],
            instance_count=resources["InstanceCount"],
            instance_type=resources["InstanceType"],
            volume_kms_key=resources.get("VolumeKmsKeyId"),
            strategy=arguments["BatchStrategy"],
            max_concurrent_transforms=arguments["MaxConcurrentTransforms"],
            max_payload=arguments["MaxPayloadInMB"],
            env=arguments["Environment"],
            output_path=output["S3OutputPath"],
            output_kms_key=output["KmsKeyId"],
            accept=output["Accept"],
            assemble_with=output["AssembleWith"],
            tags=arguments["Tags"],
            sagemaker_session=self.session,
        )
        request = job.transform(
            data=source["DataSource"]["S3DataSource"]["S3Uri"],
            content_type=source["ContentType"],
            compression_type=source["CompressionType"],
            split_type=source["SplitType"],
            model_client_config=arguments["ModelClientConfig"],
        )
        return steps.TransformStep(step_args=request, **common)


if __name__ == "__main__":
    sys.stdout.write(Rebuild(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))).definition())

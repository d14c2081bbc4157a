"""What the functions behind the kit's own custom resources do for them."""

from collections.abc import Iterator

from tunestack.permissions.access import Access
from tunestack.permissions.world import World


def needs(world: World) -> Iterator[Access]:
    """What each of them needs."""
    functions = {
        world.resolver(stack).arn_of(name): (f"{stack.name}: function {name}", properties)
        for stack, name, properties in world.resources("AWS::Lambda::Function")
    }
    for stack, _, properties in world.resources("Custom::ImageBuild"):
        by, function = functions[properties["ServiceToken"]]
        role, key = function["Role"], function["Environment"]["Variables"]["KEY_ARN"]
        project = (
            f"arn:{stack.partition}:codebuild:{f'{stack.region}:{stack.account}'}:project/{properties['ProjectName']}"
        )
        repository = (
            f"arn:{stack.partition}:ecr:{f'{stack.region}:{stack.account}'}:repository/{properties['RepositoryName']}"
        )
        for action in ("codebuild:StartBuild", "codebuild:BatchGetBuilds"):
            yield Access(by=by, principal=role, action=action, resource=project)
        yield Access(by=by, principal=role, action="ecr:DescribeImages", resource=repository)
        for action in ("kms:Encrypt", "kms:Decrypt"):
            yield Access(by=by, principal=role, action=action, resource=key)
    for stack, _, properties in world.resources("Custom::JobLogs"):
        by, function = functions[properties["ServiceToken"]]
        role = function["Role"]
        yield Access(by=by, principal=role, action="logs:DescribeLogGroups", resource="*")
        actions = ["logs:CreateLogGroup", "logs:PutRetentionPolicy"]
        actions += ["logs:AssociateKmsKey"] if properties.get("KmsKeyId") else []
        for name in properties["LogGroupNames"]:
            arn = f"arn:{stack.partition}:logs:{f'{stack.region}:{stack.account}'}:log-group:{name}"
            for action in actions:
                yield Access(by=by, principal=role, action=action, resource=arn)

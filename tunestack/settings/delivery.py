"""The settings of the delivery pipeline: where changes come from, and through which environments they go."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from tunestack.catalogue.regions import partition_of
from tunestack.errors import nearest
from tunestack.settings.forms import form
from tunestack.settings.loading import Settings, environment_names, load_settings
from tunestack.settings.problems import SettingsError
from tunestack.settings.recipe import CONFIG_FOLDER
from tunestack.settings.regional import delivery_problem
from tunestack.settings.section import Section
from tunestack.settings.validation import validated
from tunestack.settings.values import CDK_QUALIFIER, Account, BoundaryName, Qualifier, RolePath, each_once, known_region
from tunestack.settings.yaml_file import read_yaml

FILE = Path("delivery") / "delivery.yaml"
Branch = Annotated[str, form(r"^[A-Za-z0-9][A-Za-z0-9_./\-]{0,254}$", "must be a branch's name, such as main")]


class ConnectionSource(Section):
    """A repository of GitHub, GitLab or Bitbucket, by a connection of AWS CodeConnections."""

    arn: Annotated[
        str,
        form(
            r"^arn:aws[a-z-]*:(codeconnections|codestar-connections):[a-z0-9-]+:[0-9]{12}:connection/[A-Za-z0-9-]+$",
            "must be a connection's ARN, arn:aws:codeconnections:REGION:ACCOUNT:connection/ID",
        ),
    ]
    """The connection; it is made, and its owner asked once, in the console."""
    repository: Annotated[str, form(r"^[A-Za-z0-9_.\-]+(/[A-Za-z0-9_.\-]+)+$", "must be OWNER/NAME")]
    """The repository as OWNER/NAME."""
    branch: Branch = "main"
    """The branch whose commits are delivered."""


class CodeCommitSource(Section):
    """A repository of AWS CodeCommit, in the delivery pipeline's account and region."""

    repository: Annotated[str, form(r"^[A-Za-z0-9_.\-]{1,100}$", "must be a repository's name")]
    """The repository's name."""
    branch: Branch = "main"
    """The branch whose commits are delivered."""


class S3Source(Section):
    """A zip file in a versioned bucket: each new version of it is delivered."""

    bucket: Annotated[str, form(r"^[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9]$", "must be a bucket's name")]
    """The bucket."""
    key: Annotated[str, Field(min_length=1, max_length=1024)]
    """The zip file's key."""


class Source(Section):
    """Where changes come from: exactly one of the three."""

    connection: ConnectionSource | None = None
    """GitHub, GitLab or Bitbucket."""
    codecommit: CodeCommitSource | None = None
    """AWS CodeCommit."""
    s3: S3Source | None = None
    """A zip file in S3."""

    @model_validator(mode="after")
    def _exactly_one(self) -> "Source":
        given = [name for name in ("connection", "codecommit", "s3") if getattr(self, name)]
        if len(given) != 1:
            raise ValueError(
                f"source must have one of connection, codecommit and s3, got {' and '.join(given) or 'none'}"
            )
        return self


class Stage(Section):
    """One step of the way: its environments are deployed at the same time."""

    environments: Annotated[
        list[Annotated[str, form(r"^[a-z][a-z0-9-]{0,19}$", "must be an environment's name")]],
        Field(min_length=1, max_length=20),
        AfterValidator(each_once),
    ]
    """The environments, files in config/: one, or one for each region."""
    approval: bool = True
    """Whether somebody must say yes, who is shown what it costs and which steps change."""
    max_increase_usd_per_month: Annotated[float, Field(ge=0)] | None = None
    """By how much the standing cost may grow at the most: more ends the delivery before anybody is asked."""
    smoke_run: bool = False
    """Whether a short run of the pipeline follows the deployment; base model and data must be uploaded there."""


class GitHub(Section):
    """GitHub Actions as the way: whose jobs may deploy."""

    repository: Annotated[str, form(r"^[A-Za-z0-9_.\-]+/[A-Za-z0-9_.\-]+$", "must be OWNER/NAME")]
    """The repository as OWNER/NAME."""
    provider_made_by: list[Annotated[str, form(r"^[a-z][a-z0-9-]{0,19}$", "must be an environment's name")]] = []
    """The environments whose stack makes GitHub's identity provider: one of each account, unless it has it already."""


class Delivery(Section):
    """How a change goes through the accounts, as `config/delivery/delivery.yaml` says."""

    project: Annotated[
        str,
        form(
            r"^[a-z][a-z0-9-]{1,18}[a-z0-9]$",
            "must have 3 to 20 lower-case letters, digits and '-', beginning with a letter and not ending in '-'",
        ),
    ] = "tunestack"
    """What the pipeline's name begins with."""
    account: Account
    """The account that the delivery pipeline is in."""
    region: Annotated[str, AfterValidator(known_region)] = "us-east-1"
    """Its region."""
    bootstrap_qualifier: Qualifier = CDK_QUALIFIER
    """The qualifier that its account was bootstrapped with."""
    role_path: RolePath = "/"
    """The path of every role of its stack, where one is prescribed."""
    permissions_boundary: BoundaryName | None = None
    """The IAM policy in its account that bounds every role of its stack, as an environment's
    `security.permissions_boundary` does there."""
    source: Source
    """Where changes come from."""
    github: GitHub | None = None
    """Roles for GitHub Actions, where it delivers instead of the pipeline (`cdk deploy -c env=dev -c github=on`)."""
    stages: Annotated[list[Stage], Field(min_length=1, max_length=10)]
    """The way, in order."""

    @property
    def name(self) -> str:
        """Of the pipeline and its stack."""
        return f"{self.project}-delivery"


def read_delivery(config: Path = CONFIG_FOLDER) -> Delivery | None:
    """The delivery's own file, or None where there is none.

    Raises:
        SettingsError: with every problem of the file.
    """
    file = config / FILE
    return validated(Delivery, read_yaml(file, name=f"config/{FILE.as_posix()}")) if file.is_file() else None


def load_delivery(config: Path = CONFIG_FOLDER) -> tuple[Delivery, dict[str, Settings]]:
    """The delivery's settings, and those of the environments that it goes through.

    Raises:
        SettingsError: with every problem: an environment that isn't there, names no account, or comes twice.
    """
    file = read_yaml(config / FILE, name=f"config/{FILE.as_posix()}")
    delivery = validated(Delivery, file)
    problems, found = [], {}
    if lacks := delivery_problem(file, delivery.region):
        problems.append(lacks)
    known = environment_names(config)
    for index, stage in enumerate(delivery.stages):
        for position, name in enumerate(stage.environments):
            path = ("stages", index, "environments", position)
            if name not in known:
                problems.append(file.problem(path, f"no environment {name!r}; {nearest(name, known)}"))
                continue
            if name in found:
                problems.append(file.problem(path, f"{name} is in two stages"))
                continue
            settings = found[name] = load_settings(name, config=config)
            if settings.environment.account is None:
                message = f"config/{name}.yaml names no account: a delivery must know where it goes"
                problems.append(file.problem(path, message))
            if stage.smoke_run and settings.environment.security.delivery_account != delivery.account:
                message = f"config/{name}.yaml: security.delivery_account must be {delivery.account} for a smoke run"
                problems.append(file.problem(("stages", index, "smoke_run"), message))
            security = settings.environment.security
            if stage.smoke_run and security.role_path != delivery.role_path:
                message = f"config/{name}.yaml: security.role_path must be {delivery.role_path} for a smoke run"
                problems.append(file.problem(("stages", index, "smoke_run"), message))
            bounded = security.permissions_boundary if settings.environment.account == delivery.account else None
            if bounded and delivery.permissions_boundary != bounded:
                message = f"must be {bounded}: it bounds every role of the account in config/{name}.yaml"
                problems.append(file.problem(("permissions_boundary",), message))
            if partition_of(settings.environment.region) != partition_of(delivery.region):
                message = f"{name} is in {settings.environment.region}, another partition than {delivery.region}"
                problems.append(file.problem(path, message))
    if problems:
        raise SettingsError(problems)
    return delivery, found

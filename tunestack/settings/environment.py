"""The settings of one environment: everything that differs between dev, staging, prod and local."""

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from tunestack.catalogue.assumptions import SPOT_SAVINGS
from tunestack.catalogue.zones import zone_prefix
from tunestack.layout import ENVIRONMENT_TAG, PROJECT_TAG, Image
from tunestack.settings.forms import form
from tunestack.settings.images import Images
from tunestack.settings.jobs import JobsSettings
from tunestack.settings.network import Network
from tunestack.settings.section import Section
from tunestack.settings.security import Security
from tunestack.settings.values import (
    RETENTION_DAYS,
    Account,
    Days,
    TagKey,
    TagValue,
    each_once,
    known_region,
    no_key_in_two_spellings,
)


class Storage(Section):
    """The buckets: what is kept, and for how long."""

    delete_data_on_destroy: bool = False
    """Whether `cdk destroy` deletes buckets with their data, keys and registry. It counts in `dev` and
    `local` only: elsewhere they are always kept."""
    checkpoints_expire_after_days: Days = 14
    """When a training's checkpoints are deleted."""
    old_versions_expire_after_days: Days = 30
    """When an overwritten or deleted object is gone for good."""
    access_logs_expire_after_days: Days = 90
    """How long the record of who read which object is kept."""


class Costs(Section):
    """What the cost of a run is estimated from."""

    training_tokens: Annotated[int, Field(ge=1, le=10**15)] = 1_000_000
    """The data set's size in tokens: rows × tokens a row, as PrepareData's report gives it."""
    config_json: Annotated[str, Field(min_length=1)] | None = None
    """The path of the model's config.json, for a model that the catalogue has no preset of."""
    spot_savings: Annotated[float, Field(ge=0, lt=1)] = SPOT_SAVINGS
    """The share of the on-demand price that spot is assumed to save; public logs show 0.54 to 0.78."""


class Budget(Section):
    """What may be spent: a synthesis that would exceed it fails (`-c allow=budget` lets it pass, and records it)."""

    run_usd: Annotated[float, Field(gt=0)] | None = None
    """What a run may be expected to cost."""
    month_usd: Annotated[float, Field(gt=0)] | None = None
    """What runs_per_month runs and the stacks' standing cost may come to."""
    runs_per_month: Annotated[int, Field(ge=1, le=10_000)] = 4
    """How many runs a month are counted."""
    deadline_hours: Annotated[float, Field(gt=0)] | None = None
    """How long the training may be expected to take."""
    alert_emails: Annotated[
        list[Annotated[str, form(r"^[^@\s<>]+@[^@\s<>]+\.[^@\s<>]+$", "must be an e-mail address", max_length=50)]],
        Field(max_length=10),
        AfterValidator(each_once),
    ] = []
    """Who is told when 80 % of month_usd are spent or more than all of it is forecast; an AWS Budget watches."""

    alerts_region: Annotated[str, AfterValidator(known_region)] | None = None
    """The region whose CloudFormation makes that budget, where the environment's own has none (AWS Budgets is one
    service for all regions): bootstrapped, too. null: the environment's region."""

    @model_validator(mode="after")
    def _alerts_have_a_limit(self) -> "Budget":
        if self.alert_emails and self.month_usd is None:
            raise ValueError("alert_emails needs month_usd: the budget that is watched")
        return self


class Registry(Section):
    """Who else may deploy the registered versions."""

    consumer_accounts: Annotated[list[Account], AfterValidator(each_once)] = []
    """AWS accounts that may deploy the registered versions: read each, its archive and its image."""
    organization_arn: (
        Annotated[
            str,
            form(
                r"^arn:aws[a-z-]*:organizations::[0-9]{12}:organization/o-[a-z0-9]{10,32}$",
                "must be an organisation's whole ARN, arn:aws:organizations::ACCOUNT:organization/o-…",
            ),
        ]
        | None
    ) = None
    """The organisation that consumer_accounts must belong to; without accounts, all of its accounts may deploy."""


class Promotion(Section):
    """Where models come from that weren't trained here."""

    source: (
        Annotated[str, form(r"^[a-z][a-z0-9-]{0,19}$", "must be the name of another environment, such as dev")] | None
    ) = None
    """The environment whose approved versions come here: each is copied, evaluated again by this environment's recipe
    and limits, and registered here for approval. Both environments must name their account."""
    max_critical_findings: Annotated[int, Field(ge=0, le=100_000)] | None = None
    """How many critical findings ECR's scan of a version's image may have to be taken in; null: it isn't looked at."""
    accepted_exams: Annotated[
        list[Annotated[str, form(r"^[0-9a-f]{64}$", "must be a SHA-256, 64 of 0-9 and a-f: a version's exam_sha256")]],
        Field(max_length=20),
        AfterValidator(each_once),
    ] = []
    """Exams that a version may bring along: held-out rows, general set and questions whose digest (`exam_sha256` of
    `tunestack models show`) is one of these, and no others. Empty: a version is judged by this environment's own, which
    PrepareData makes of the recipe's data set, uploaded here."""
    signed_images: bool = False
    """Take in versions alone whose image ECR has signed (`images.signed` of the environment that trained them)."""


class Environment(Section):
    """One environment of the kit, as `config/<name>.yaml` gives it."""

    project: Annotated[
        str,
        form(
            r"^[a-z][a-z0-9-]{1,18}[a-z0-9]$",
            "must have 3 to 20 lower-case letters, digits and '-', beginning with a letter and not ending in '-'",
        ),
    ] = "tunestack"
    """What the stacks' and the pipeline's names begin with."""
    account: Account | None = None
    """The AWS account; null: the one that the credentials belong to."""
    region: Annotated[str, AfterValidator(known_region)] = "us-east-1"
    """The AWS region; costs are counted at its prices."""
    recipe: Annotated[
        str, form(r"^[A-Za-z0-9_][A-Za-z0-9_.\-]{0,200}$", "must be the name of a file in config/recipes/")
    ]
    """The recipe, a file under `config/recipes/`."""
    storage: Storage = Storage()
    network: Network = Network()
    security: Security = Security()
    images: Images = Images()
    registry: Registry = Registry()
    promotion: Promotion = Promotion()
    jobs: JobsSettings
    costs: Costs = Costs()
    budget: Budget = Budget()
    log_retention_days: RETENTION_DAYS = 90
    """How long the jobs' and builds' logs are kept."""
    log_groups_are_shared: bool = True
    """Whether others of the account write to SageMaker's log groups, of which it has one for each kind of job: a group
    that was there before the kit then keeps its retention and its key. false: it gets log_retention_days and the
    environment's key, whatever it had."""
    tags: Annotated[dict[TagKey, TagValue], Field(max_length=40), AfterValidator(no_key_in_two_spellings)] = {}
    """Put on every resource and every job; cost allocation reads them."""
    tag_prefix: Annotated[
        str, form(r"^[A-Za-z0-9_.:/=+\-@]*$", "must have letters, digits and _ . : / = + - @ alone", max_length=64)
    ] = ""
    """What the kit's own two tags begin with, where `project` or `environment` is somebody else's to set: `tunestack:`
    makes them `tunestack:project` and `tunestack:environment`."""

    @model_validator(mode="after")
    def _zones_are_the_region_s(self) -> "Environment":
        prefix = zone_prefix(self.region)
        for zone in self.network.availability_zone_ids or ():
            if not zone.startswith(f"{prefix}-"):
                raise ValueError(
                    f"network.availability_zone_ids: {zone} isn't in {self.region}, whose are {prefix}-az1 …"
                )
        return self

    @model_validator(mode="after")
    def _people_are_of_the_account(self) -> "Environment":
        for name, arns in self.security.people:
            for arn in arns:
                if self.account and arn.split(":")[4] != self.account:
                    raise ValueError(f"security.people.{name}: {arn} isn't of the account {self.account}")
        return self

    @model_validator(mode="after")
    def _the_kits_tags_are_its_own(self) -> "Environment":
        if self.tag_prefix.lower().startswith("aws:"):
            raise ValueError(f"tag_prefix must not begin with aws:, which is AWS's own, got {self.tag_prefix!r}")
        own = {f"{self.tag_prefix}{name}".lower() for name in (PROJECT_TAG, ENVIRONMENT_TAG)}
        if taken := next((key for key in self.tags if key.lower() in own), None):
            raise ValueError(
                f"tags: {taken!r} is a tag that the kit sets itself, and IAM doesn't look at case; a tag_prefix, such "
                "as tunestack:, leaves it to you"
            )
        return self

    @model_validator(mode="after")
    def _torch_runs_on_the_gpus(self) -> "Environment":
        for name, gpu in self.jobs.gpus(Image.TRAINING):
            if gpu.is_blackwell and self.images.training_torch_build == "cu126":
                raise ValueError(
                    f"images.training_torch_build must be cu130 for {name}: CUDA 12.6 can't use its {gpu.name}"
                )
        for name, gpu in self.jobs.gpus(Image.INFERENCE):
            if gpu.is_blackwell:
                raise ValueError(f"a transform can't use {name}: its {gpu.name} needs CUDA 13, and its hosts run 12")
            if self.images.inference_torch_build != "cu126":
                raise ValueError(
                    f"images.inference_torch_build must be cu126 for {name}: a transform's hosts run CUDA 12"
                )
        return self

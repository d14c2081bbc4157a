"""The settings of one environment: everything that differs between dev, staging, prod and local."""

from ipaddress import IPv4Network
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from tunestack.catalogue.assumptions import SPOT_SAVINGS
from tunestack.catalogue.regions import REGIONS
from tunestack.catalogue.zones import zone_prefix, zones_with_endpoints
from tunestack.errors import nearest
from tunestack.layout import Image
from tunestack.settings.forms import form
from tunestack.settings.images import Images
from tunestack.settings.jobs import JobsSettings
from tunestack.settings.section import Section

_TAGS_OF_THE_KIT = ("project", "environment")
_PRIVATE_NETWORKS = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))


def _private_network(cidr: str) -> str:
    wanted = "must be a private network of a VPC's size, /16 to /24, such as 10.20.0.0/16"
    try:
        network = IPv4Network(cidr)
    except ValueError as error:
        raise ValueError(f"{wanted}, got {cidr!r}: {error}") from None
    private = any(network.subnet_of(known) for known in _PRIVATE_NETWORKS)
    if not private or not 16 <= network.prefixlen <= 24:
        raise ValueError(f"{wanted}, got {cidr!r}")
    return cidr


def known_region(name: str) -> str:
    if name not in REGIONS:
        raise ValueError(f"no region {name!r} has SageMaker; {nearest(name, REGIONS)}")
    return name


def _not_aws_own(key: str) -> str:
    if key.lower().startswith("aws:"):
        raise ValueError(f"a tag must not begin with aws:, which is AWS's own, got {key!r}")
    return key


def each_once(items: list[str]) -> list[str]:
    if twice := next((item for index, item in enumerate(items) if item in items[:index]), None):
        raise ValueError(f"names {twice!r} twice")
    return items


def _days(value: object) -> object:
    # To Python true is 1 and 14.0 is 14; to a reader of the file they aren't.
    if isinstance(value, (bool, float)):
        raise ValueError(f"must be a whole number of days, got {value}")
    return value


def _no_key_in_two_spellings(tags: dict[str, str]) -> dict[str, str]:
    by_lower: dict[str, str] = {}
    for key in tags:
        if key.lower() in _TAGS_OF_THE_KIT:
            raise ValueError(f"{key!r} is a tag that the kit sets itself")
        if other := by_lower.get(key.lower()):
            raise ValueError(f"{other!r} and {key!r} are one key to IAM, which doesn't look at case")
        by_lower[key.lower()] = key
    return tags


Account = Annotated[str, form(r"^[0-9]{12}$", "must be an AWS account's 12 digits, in quotes")]
# What may stand in a tag: "Tag naming limits and requirements" of the AWS Tagging guide.
TagKey = Annotated[
    str,
    form(r"^[\p{L}\p{N} _.:/=+\-@]+$", "must have letters, digits, spaces and _ . : / = + - @", max_length=128),
    AfterValidator(_not_aws_own),
]
TagValue = Annotated[
    str,
    form(r"^[\p{L}\p{N} _.:/=+\-@]*$", "must have letters, digits, spaces and _ . : / = + - @", max_length=256),
]
Days = Annotated[int, Field(ge=1, le=3_650)]
RoleArn = Annotated[
    str, form(r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]{1,512}$", "must be a role's whole ARN")
]
Qualifier = Annotated[str, form(r"^[a-z0-9]{1,10}$", "must have 1 to 10 lower-case letters and digits")]
# What `cdk bootstrap` takes by itself.
CDK_QUALIFIER = "hnb659fds"
RETENTION_DAYS = Annotated[
    Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1827, 3653], BeforeValidator(_days)
]


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


class ExistingVpc(Section):
    """A VPC that the account has already. Its subnets need a way to S3, best as a gateway endpoint; what it lets out,
    what it costs and whether its flows are logged is its owner's."""

    subnet_ids: Annotated[
        list[Annotated[str, form(r"^subnet-[0-9a-f]{8,17}$", "must be a subnet's id, such as subnet-0a1b2c3d")]],
        Field(min_length=1, max_length=16),
        AfterValidator(each_once),
    ]
    """Private subnets of this account, by id: in zones that have the instance types, with addresses to spare."""
    security_group_ids: Annotated[
        list[Annotated[str, form(r"^sg-[0-9a-f]{8,17}$", "must be a security group's id, such as sg-0a1b2c3d")]],
        Field(min_length=1, max_length=5),
        AfterValidator(each_once),
    ]
    """Security groups of that VPC, by id: HTTPS out, and everything between the machines of one job."""


# What says what a VPC of the kit's own looks like.
_OF_OWN_VPC = frozenset({"private_vpc", "cidr", "availability_zones", "availability_zone_ids"})


class Network(Section):
    """The network that the jobs run in."""

    private_vpc: bool = True
    """A VPC without internet access, with the endpoints that the jobs need; false: no VPC at all, which
    saves the endpoints' standing cost."""
    existing: ExistingVpc | None = None
    """A VPC of the account that is used instead: no network is made then, and nothing else is said here."""
    cidr: Annotated[str, AfterValidator(_private_network)] = "10.20.0.0/16"
    """The VPC's private addresses; choose a range of its own where networks are joined."""
    availability_zones: Annotated[int, Field(ge=1, le=3)] = 2
    """How many zones; each adds an address, and its hourly price, to every interface endpoint."""
    availability_zone_ids: (
        list[Annotated[str, form(r"^[a-z]+[0-9]-az[0-9]$", "must be a zone's id, such as use1-az1")]] | None
    ) = None
    """Which zones, by id (`use1-az1`: a zone's name means another place in each account); choose those that have
    every endpoint and the instance types. null: the first ones known to have the endpoints, else by position."""

    @model_validator(mode="after")
    def _as_many_zones_as_ids(self) -> "Network":
        ids = self.availability_zone_ids
        if ids is not None and (len(set(ids)) != len(ids) or len(ids) != self.availability_zones):
            raise ValueError(
                f"availability_zone_ids must name availability_zones ({self.availability_zones}) different zones, "
                f"got {', '.join(ids) or 'none'}"
            )
        return self

    @model_validator(mode="after")
    def _nothing_beside_an_existing_one(self) -> "Network":
        beside = sorted(_OF_OWN_VPC & self.model_fields_set)
        if self.existing and beside:
            raise ValueError(f"existing takes the place of a VPC of the kit's own: leave out {', '.join(beside)}")
        return self

    @property
    def is_made(self) -> bool:
        """Whether the stacks make a VPC."""
        return self.private_vpc and self.existing is None

    def zone_ids(self, region: str) -> list[str] | None:
        """The zones by id, or None where the region's aren't known here."""
        known = self.availability_zone_ids or zones_with_endpoints(region)[: self.availability_zones]
        return list(known) or None


class Security(Section):
    """What binds every role of an environment."""

    permissions_boundary: (
        Annotated[str, form(r"^[A-Za-z0-9_+=,.@-]{1,128}$", "must be the name of an IAM policy, without path or ARN")]
        | None
    ) = None
    """The name of an IAM policy in the account that bounds every role."""
    key_administrators: Annotated[list[RoleArn], Field(max_length=20), AfterValidator(each_once)] = []
    """Roles, by ARN, that alone may change, switch off or delete the environment's key, beside the bootstrap's own for
    CloudFormation; they can't use it by that. Empty: whoever the account's IAM lets."""
    bootstrap_qualifier: Qualifier = CDK_QUALIFIER
    """The qualifier that the account was bootstrapped with (`cdk bootstrap --qualifier`)."""
    delivery_account: Account | None = None
    """The delivery pipeline's account, where it may start a run after a deployment (`smoke_run`)."""


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
    tags: Annotated[dict[TagKey, TagValue], Field(max_length=40), AfterValidator(_no_key_in_two_spellings)] = {}
    """Put on every resource and every job; cost allocation reads them."""

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

"""The environments before and behind one: where its models come from, and where they go."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tunestack.errors import nearest
from tunestack.layout import Names
from tunestack.settings.environment import Environment
from tunestack.settings.problems import Problem, SettingsError
from tunestack.settings.yaml_file import YamlFile, read_yaml

_KEY = ("promotion", "source")
# Of an EventBridge rule.
MOST_TARGETS = 5
_ACCOUNT = re.compile(r"[0-9]{12}")


@dataclass(frozen=True, kw_only=True)
class Neighbour:
    """Another environment, as far as a promotion needs it."""

    names: Names
    account: str
    region: str
    signs_images: bool = False
    takes_exams_along: bool = False
    """Whether a promotion to there takes along what the version was judged by."""
    looks_at_findings: bool = False
    looks_at_signatures: bool = False
    """Whether a promotion to there looks at an image's scan, and at its signature."""


def neighbour_named(name: str, source: YamlFile, environment: Environment, config: Path) -> Neighbour | None:
    """The environment that this one's models come from, or None where they are trained here only.

    Raises:
        SettingsError: it isn't there, its models come from here in turn, or it can't be promoted from.
    """
    wanted = environment.promotion.source
    if wanted is None:
        return None
    known = [file.stem for file in config.glob("*.yaml") if file.stem != name]
    if wanted not in known:
        raise SettingsError([source.problem(_KEY, f"no other environment {wanted!r}; {nearest(wanted, known)}")])
    if name in _sources_of(wanted, config):
        raise SettingsError([source.problem(_KEY, f"{wanted}'s models come from {name} in turn: one must begin")])
    found = _neighbour(wanted, read_yaml(config / f"{wanted}.yaml", name=f"config/{wanted}.yaml"))
    if environment.account is None:
        raise SettingsError([source.problem(("account",), f"a promotion from {wanted} needs the account's 12 digits")])
    if found.region != environment.region:
        message = (
            f"{wanted} is in {found.region} and {name} in {environment.region}: SageMaker takes images of its own "
            "region only, so both must be in one"
        )
        raise SettingsError([source.problem(_KEY, message)])
    return found


def origins_of(name: str, environment: Environment, config: Path) -> tuple[Neighbour, ...]:
    """The environments where what arrives here may have been trained: the source, its source, and so on.

    Raises:
        SettingsError: one of them names no account, or doesn't sign the images that must be signed here.
    """
    if environment.promotion.source is None:
        return ()
    names = (environment.promotion.source, *_sources_of(environment.promotion.source, config))
    files = [read_yaml(config / f"{other}.yaml", name=f"config/{other}.yaml") for other in names]
    found = tuple(_neighbour(other, file) for other, file in zip(names, files, strict=True))
    unsigned = [file for file, origin in zip(files, found, strict=True) if not origin.signs_images]
    if environment.promotion.signed_images and unsigned:
        message = f"must be true: {name} takes in signed images alone (promotion.signed_images)"
        raise SettingsError([file.problem(("images", "signed"), message) for file in unsigned])
    return found


def neighbours_fed_by(
    name: str, environment: Environment, config: Path, *, directly: bool = True
) -> tuple[Neighbour, ...]:
    """The environments whose models come from this one: from here at once, or by way of others, too.

    Raises:
        SettingsError: one of them can't take them, or this environment names no account.
    """
    found = tuple(
        _neighbour(other, file)
        for other, file in _promoted(config)
        if (_source_of(file) == name if directly else name in _sources_of(other, config))
    )
    if directly and len(found) > MOST_TARGETS:
        names = ", ".join(neighbour.names.environment for neighbour in found)
        message = (
            f"{len(found)} environments take their models from here ({names}), and a rule has {MOST_TARGETS} targets"
        )
        raise SettingsError([Problem(file=f"config/{name}.yaml", key="promotion", message=message)])
    if found and environment.account is None:
        message = f"{found[0].names.environment} takes its models from here, which needs the account's 12 digits"
        raise SettingsError([Problem(file=f"config/{name}.yaml", key="account", message=message)])
    return found


def _neighbour(name: str, file: YamlFile) -> Neighbour:
    account = file.data.get("account")
    if not isinstance(account, str) or not _ACCOUNT.fullmatch(account):
        raise SettingsError([file.problem(("account",), "a promotion needs the account's 12 digits, in quotes")])
    project, region = (str(file.data.get(key, Environment.model_fields[key].default)) for key in ("project", "region"))
    images, security, promotion = (file.data.get(key) for key in ("images", "security", "promotion"))
    path = str(security.get("role_path", "/")) if isinstance(security, dict) else "/"
    signed = isinstance(images, dict) and images.get("signed") is True
    asked = promotion if isinstance(promotion, dict) else {}
    return Neighbour(
        names=Names(project=project, environment=name, role_path=path),
        account=account,
        region=region,
        signs_images=signed,
        takes_exams_along=bool(asked.get("accepted_exams")),
        looks_at_findings=asked.get("max_critical_findings") is not None,
        looks_at_signatures=asked.get("signed_images") is True,
    )


def _promoted(config: Path) -> Iterator[tuple[str, YamlFile]]:
    """The environments that name a source; the others' files aren't read, whatever state they are in."""
    for file in sorted(config.glob("*.yaml")):
        if file.is_file() and b"promotion:" in file.read_bytes():
            yield file.stem, read_yaml(file, name=f"config/{file.name}")


def _source_of(file: YamlFile) -> str | None:
    section = file.data.get("promotion")
    source = section.get("source") if isinstance(section, dict) else None
    return source if isinstance(source, str) else None


def _sources_of(name: str, config: Path) -> list[str]:
    """Where an environment's models come from, and where those come from, and so on."""
    source_of = {other: _source_of(file) for other, file in _promoted(config)}
    found: list[str] = []
    current: str | None = name
    while (current := source_of.get(current or "")) and current not in found:
        found.append(current)
    return found

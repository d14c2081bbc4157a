"""A stack's figures as its template carries them: one model writes the metadata and reads it."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, model_validator

from tunestack.layout import (
    RUN_CEILING_USD_OUTPUT,
    RUN_EXPECTED_USD_OUTPUT,
    RUN_LOW_USD_OUTPUT,
    STANDING_USD_OUTPUT,
)

METADATA_KEY = "tunestack:cost"
UNKNOWN = "unknown"


def _text(decimals: int) -> PlainSerializer:
    """Decimals as text, as CloudFormation wants them."""
    return PlainSerializer(lambda value: f"{value:.{decimals}f}", return_type=str)


def _amount(decimals: int | None) -> PlainSerializer:
    """The same of what may be unknown."""

    def text(value: float | None) -> str:
        if value is None:
            return UNKNOWN
        return str(value) if decimals is None else f"{value:.{decimals}f}"

    return PlainSerializer(text, return_type=str)


_OR_UNKNOWN = BeforeValidator(lambda value: None if value == UNKNOWN else value)
Usd = Annotated[float | None, _OR_UNKNOWN, _amount(2)]
Share = Annotated[float, _text(2)]
Hours = Annotated[float, _text(3)]
HoursOrUnknown = Annotated[float | None, _OR_UNKNOWN, _amount(3)]
UsdPerHour = Annotated[float | None, _OR_UNKNOWN, _amount(None)]


class _Figures(BaseModel):
    model_config = ConfigDict(frozen=True, populate_by_name=True)


class StepCost(_Figures):
    """A job of a run: hours and dollars; None where nobody knows them."""

    instance_type: str = Field(alias="InstanceType")
    usd_per_hour: UsdPerHour = Field(alias="UsdPerHour")
    price_as_of: str = Field(alias="PriceAsOf")
    price_is_list: bool = Field(alias="PriceIsList")
    paid_share: Share = Field(alias="PaidShare", default=1)
    low_hours: HoursOrUnknown = Field(alias="LowHours", default=0)
    expected_hours: HoursOrUnknown = Field(alias="ExpectedHours")
    ceiling_hours: Hours = Field(alias="CeilingHours")

    @property
    def expected_usd(self) -> float | None:
        if self.usd_per_hour is None or self.expected_hours is None:
            return None
        return self.usd_per_hour * self.expected_hours * self.paid_share


class StackCost(_Figures):
    """One stack's figures: dollars a month and a run, what they are made of, and its resources by type.

    Dollars are None where a price isn't known.
    """

    standing_usd: Usd = Field(alias=STANDING_USD_OUTPUT)
    drivers: dict[str, Usd] = Field(alias="StandingDrivers")
    unpriced: tuple[str, ...] = Field(alias="UnpricedResourceTypes")
    run_low_usd: Usd = Field(alias=RUN_LOW_USD_OUTPUT)
    run_expected_usd: Usd = Field(alias=RUN_EXPECTED_USD_OUTPUT)
    run_ceiling_usd: Usd = Field(alias=RUN_CEILING_USD_OUTPUT)
    steps: dict[str, StepCost] = Field(alias="RunSteps")
    assumptions: tuple[str, ...] = Field(alias="Assumptions")
    waived: tuple[str, ...] = Field(alias="Waived", default=())
    # Counted in the template, not part of its metadata.
    resources: Mapping[str, int] = Field(default={}, exclude=True)

    @model_validator(mode="before")
    @classmethod
    def _read_earlier_names(cls, figures: Any) -> Any:
        """Templates of earlier revisions, which `tunestack cost diff` compares with, say it otherwise."""
        if isinstance(figures, dict) and "Overrides" in figures:
            figures = {"Waived": figures["Overrides"], **figures}
        if isinstance(figures, dict) and RUN_EXPECTED_USD_OUTPUT in figures:
            figures = {RUN_LOW_USD_OUTPUT: figures[RUN_EXPECTED_USD_OUTPUT], **figures}
        return figures

    def metadata(self) -> dict[str, Any]:
        """The figures as JSON values, under the names that a template gives them."""
        return self.model_dump(mode="json", by_alias=True)


EMPTY = StackCost(
    standing_usd=0, drivers={}, unpriced=(), run_low_usd=0, run_expected_usd=0, run_ceiling_usd=0, steps={},
    assumptions=(),
)  # fmt: skip

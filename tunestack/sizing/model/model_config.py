"""A Hugging Face `config.json`, read with checks: which field, what it says, what would be right."""

from collections.abc import Iterable, Mapping
from typing import Any

from tunestack.errors import UserError, nearest

LARGEST_FIELD = 100_000_000


class ModelConfigError(UserError, ValueError):
    """A `config.json` that can't be sized; the text names the file or model, the field, and what would be right."""


class ModelConfig:
    """The fields of one `config.json`; every reader refuses what can't be."""

    def __init__(self, fields: Mapping[str, Any], *, name: str) -> None:
        self._fields = fields
        self.name = name

    def _wrong(self, message: str) -> ModelConfigError:
        return ModelConfigError(f"{self.name}: {message}")

    def choose(self, key: str, allowed: Iterable[str]) -> str:
        """A field with one of the allowed values."""
        value = self._fields.get(key)
        if value is None:
            raise self._wrong(f"{key} is missing")
        choices = sorted(allowed)
        if value not in choices:
            hint = nearest(str(value), choices)
            close = f"; {hint}" if hint.startswith("did you mean") else ""
            raise self._wrong(f"{key} must be one of {', '.join(choices)}, got {value!r}{close}")
        return str(value)

    def positive(self, key: str) -> int:
        """A field that must be there, and greater than zero."""
        value = self.optional_positive(key)
        if value is None:
            raise self._wrong(f"{key} is missing")
        return value

    def optional_positive(self, key: str) -> int | None:
        """A field that may be absent or null, but not zero or negative."""
        value = self._fields.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise self._wrong(f"{key} must be a whole number greater than 0, got {value!r}")
        if value > LARGEST_FIELD:
            raise self._wrong(f"{key} must be at most {LARGEST_FIELD:,}, got a number of {len(str(value))} digits")
        if value == 0:
            if key in _ZERO_MEANS_NONE:
                return None
            raise self._wrong(f"{key} must be greater than 0, got 0")
        return value

    def flag(self, key: str, default: bool) -> bool:
        value = self._fields.get(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self._wrong(f"{key} must be true or false, got {value!r}")
        return value

    def integers(self, key: str) -> list[int]:
        value = self._fields.get(key) or []
        if not isinstance(value, list) or not all(isinstance(item, int) for item in value):
            raise self._wrong(f"{key} must be a list of whole numbers, got {value!r}")
        return value

    def divides(self, key: str, divisor: int, divisor_key: str) -> int:
        """`key` divided by `divisor`, which must leave nothing over."""
        value = self.positive(key)
        self.must_divide(key, value, divisor_key, divisor)
        return value // divisor

    def must_divide(self, key: str, value: int, divisor_key: str, divisor: int) -> None:
        if value % divisor:
            raise self._wrong(f"{key} ({value}) must be a multiple of {divisor_key} ({divisor})")

    def experts_per_token(self, count_key: str) -> int:
        active, count = self.positive("num_experts_per_tok"), self.positive(count_key)
        if active > count:
            raise self._wrong(f"num_experts_per_tok ({active}) must be at most {count_key} ({count})")
        return active

    def part(self, key: str, defaults: Mapping[str, Any]) -> "ModelConfig":
        """A nested configuration, over the defaults that transformers gives it."""
        value = self._fields.get(key)
        if not isinstance(value, Mapping):
            raise self._wrong(f"{key} is missing")
        return ModelConfig({**defaults, **value}, name=f"{self.name} {key}")


_ZERO_MEANS_NONE = frozenset({"first_k_dense_replace", "decoder_sparse_step", "sliding_window"})

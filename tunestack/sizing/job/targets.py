"""Which linears the names in LoRA's `target_modules` are, as PEFT takes them."""

from collections.abc import Iterator, Sequence

from tunestack.sizing.model.architecture import Architecture, Linear

HEAD = "lm_head"


def is_named(target: str, name: str) -> bool:
    """Whether PEFT takes a linear for a target: a module's whole name, or its end after a dot."""
    return target == name or target.endswith(f".{name}") or name.endswith(f".{target}")


def takes_adapter(linear: Linear) -> bool:
    """Whether PEFT can put an adapter there: on a module, or on the parameter of joined experts."""
    return linear.kind in ("module", "derived", "adapted_parameter")


def is_parameter(linear: Linear) -> bool:
    """Whether an adapter would change the parameter itself, so that all of what it adds is computed, and there."""
    return linear.kind == "adapted_parameter"


def names_of(architecture: Architecture) -> list[str]:
    """What `target_modules` can name: linears, and of joined experts the matrices that they were."""
    reached = [linear for _, linear in architecture.linears() if takes_adapter(linear)]
    return sorted({name for linear in reached for name in linear.target_names})


def target_problems(architecture: Architecture, targets: Sequence[str]) -> Iterator[str]:
    """What PEFT would refuse, or what would never train: a sentence each."""
    names = names_of(architecture)
    joined = {linear.target_names for _, linear in architecture.linears() if is_parameter(linear)}
    for matrices in sorted(joined):
        present = [name for name in matrices if any(is_named(target, name) for target in targets)]
        if present and len(present) < len(matrices):
            missing = ", ".join(name for name in matrices if name not in present)
            yield (
                f"PEFT refuses {', '.join(present)} without {missing}: transformers joins the experts' "
                f"{' and '.join(matrices)} into one parameter"
            )
    for target in targets:
        if target == HEAD:
            yield (
                f"{HEAD} can't have an adapter: TRL computes the loss from the head's own weights, so that it would "
                "never be trained"
            )
        elif not any(is_named(target, name) for name in names):
            known = ", ".join(names)
            yield f"{architecture.name} has no linear {target!r} that an adapter could sit on; it has {known}"


def changes_parameters(architecture: Architecture, targets: Sequence[str]) -> bool:
    """Whether adapters on the targets reach joined experts or their router."""
    parameters = [linear for _, linear in architecture.linears() if is_parameter(linear)]
    return any(is_reached(linear, targets) for linear in parameters)


def is_reached(linear: Linear, targets: Sequence[str]) -> bool:
    """Whether the parameter of joined matrices is named: all of them are, since PEFT refuses one of two."""
    return "all-linear" in targets or all(
        any(is_named(target, name) for target in targets) for name in linear.target_names
    )

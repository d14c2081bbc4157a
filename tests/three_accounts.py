"""dev, staging and prod, each in an account of its own, and models that go from one to the next."""

import json
from pathlib import Path
from typing import Any

import yaml
from aws_cdk import App

from stacks.environment import add_environment
from tests.conftest import CONFIG, ROOT
from tunestack.planning.blueprint import blueprint_of
from tunestack.settings.loading import Settings, load_settings

ACCOUNTS = {"dev": "111111111111", "staging": "222222222222", "prod": "333333333333"}
SOURCES = {"staging": "dev", "prod": "staging"}


def config_of(folder: Path, *, base: str | None = None, **changes: Any) -> Path:
    """A copy of the tests' environments with the accounts and the sources in it; `changes` to every environment's file.

    With `base`, each is a copy of that environment: `local` is small enough to run here.
    """
    made = folder / "config"
    (made / "recipes").mkdir(parents=True)
    for recipe in (CONFIG / "recipes").glob("*.yaml"):
        (made / "recipes" / recipe.name).write_bytes(recipe.read_bytes())
    (made / "delivery").mkdir()
    (made / "delivery" / "delivery.yaml").write_bytes((CONFIG / "delivery" / "delivery.yaml").read_bytes())
    for name, account in ACCOUNTS.items():
        data = yaml.safe_load((CONFIG / f"{base or name}.yaml").read_text()) | {"account": account} | changes
        data["images"] = {**data.get("images", {}), "signed": True}
        if name in SOURCES:
            data["promotion"] = {"source": SOURCES[name]}
            if base != "local":
                # The local AWS signs nothing.
                data["promotion"]["signed_images"] = True
        (made / f"{name}.yaml").write_text(yaml.safe_dump(data))
    return made


def tree_of(folder: Path, *, base: str | None = None) -> Path:
    """The source tree with that configuration: what `app.py` is run from."""
    # Python looks beside a script's own file, not beside a link to it.
    (folder / "app.py").write_bytes((ROOT / "app.py").read_bytes())
    for name in ("cdk.json", "stacks", "constructs", "tunestack", "training_code", "package.json", "node_modules"):
        (folder / name).symlink_to(ROOT / name)
    config_of(folder, base=base)
    return folder


def settings_of(config: Path) -> dict[str, Settings]:
    """The settings of each of them."""
    return {name: load_settings(name, config=config) for name in ACCOUNTS}


def app_in(folder: Path, **context: str) -> App:
    """An app with the kit's feature flags and more context, which writes to a folder."""
    flags = json.loads((ROOT / "cdk.json").read_text())["context"]
    return App(outdir=str(folder), context={**flags, **context})


def add(app: App, settings: Settings, *, allow: tuple[str, ...] = ()) -> None:
    """One of them, with its account."""
    add_environment(app, blueprint_of(settings), allow=allow)

"""Package: adapter and base as the one archive that serving takes, fused or side by side."""

import logging
import shutil
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tunestack_training import contract, digests
from tunestack_training.fuse import fuse
from tunestack_training.options import RECIPE_FILE, read_recipe, recipe_from_options

FUSED, BASE, ADAPTER = "model", "base", "adapter"
# Beside the archive: the digests of what it was made from, of itself, and of what is in it.
PACKAGE_FILE = "package.json"
log = logging.getLogger(__name__)


def run(options: Mapping[str, str]) -> None:
    """Pack the model of a processing job: `model.tar.gz` with all that an isolated server reads."""
    adapter, base = (contract.processing_input(name) for name in ("adapter", "base-model"))
    options, told = digests.split_options(options)
    read = {"adapter": digests.folder_sha256(adapter), "base_model": digests.folder_sha256(base)}
    digests.check(read, told)
    recipe = recipe_from_options(options, base=read_recipe(adapter))
    with tempfile.TemporaryDirectory(dir=contract.processing_output("model").parent) as folder:
        packed = Path(folder)
        log.info("progress 0/2 parts: the weights")
        apart = {}
        if recipe.package.fuse:
            apart = fuse(base, adapter, recipe, packed / FUSED)
        else:
            shutil.copytree(base, packed / BASE)
        shutil.copytree(adapter, packed / ADAPTER)
        contract.write_json(packed / RECIPE_FILE, recipe.model_dump())
        log.info("progress 1/2 parts: the archive")
        archive = contract.processing_output("model") / "model.tar.gz"
        pack(packed, archive)
        made = {"model": digests.folder_sha256(packed), "archive": digests.file_sha256(archive)}
        contract.write_json(archive.with_name(PACKAGE_FILE), {"sha256": read | made, "nats_a_token": apart})
    how = "fused" if recipe.package.fuse else "base and adapter"
    message = f"{archive.name}: {archive.stat().st_size / 1e6:.0f} MB, {how}"
    log.info(message)
    contract.write_exit_message(message)


def pack(folder: Path, archive: Path) -> None:
    """Make a gzip'd tar of a folder's content; weights don't compress, so nothing is tried."""
    with tarfile.open(archive, "w:gz", compresslevel=0) as tar:
        for item in sorted(folder.iterdir()):
            tar.add(item, arcname=item.name)

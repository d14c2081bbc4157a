"""Prepare: raw files → validated, de-duplicated, split rows, with a report and the rejected rows."""

import gc
import json
import logging
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.resources import files as package_files
from pathlib import Path
from typing import Any

from tunestack_training import contract
from tunestack_training.collect import Collected, Judge, collect
from tunestack_training.failure import JobError
from tunestack_training.near_duplicates import near_duplicates
from tunestack_training.options import recipe_from_options
from tunestack_training.positions import check_length
from tunestack_training.recipe import Recipe
from tunestack_training.rows import Row, read_rows, to_conversation
from tunestack_training.store import SPLITS, RowStore, Splits
from tunestack_training.tokenizer import check_vocabulary, load_tokenizer
from tunestack_training.verdict import FEW_TEST_ROWS

# A file of this name beside the data is the general set; otherwise the one that comes with the kit is used.
GENERAL_FILE = "general.jsonl"
ROWS_FILE = "rows.jsonl"
log = logging.getLogger(__name__)


def run(options: Mapping[str, str]) -> None:
    """Prepare the data set of a processing job."""
    recipe = recipe_from_options(options)
    source = sorted(file for file in contract.processing_input("data").rglob("*") if file.is_file())
    judge = judge_for(contract.processing_input("base-model"), recipe)
    # What the libraries made stays: to look for garbage among it again and again takes a tenth of the time.
    gc.freeze()
    rejected = contract.processing_output("rejected") / ROWS_FILE
    # On the job's own volume, which is as large as the recipe's data needs.
    with (
        tempfile.TemporaryDirectory(dir=contract.processing_output("report").parent) as scratch,
        collected_rows(source, judge, Path(scratch), rejected) as (store, splits, report),
    ):
        write_splits(store, splits)
    write_rows(contract.processing_output("general") / ROWS_FILE, read_general(source, judge))
    contract.write_json(contract.processing_output("report") / "report.json", report)
    say(report)


def judge_for(tokenizer: Path, recipe: Recipe) -> Judge:
    """What reads rows as the model is trained on them, whose tokenizer and configuration lie in a folder.

    Raises:
        JobError: there is no tokenizer, or rows may be longer than the model has positions.
    """
    file = tokenizer / "config.json"
    config = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    check_length(config, recipe.training.max_length)
    loaded = load_tokenizer(tokenizer)
    places = (config.get("text_config") or config).get("vocab_size")
    if isinstance(places, int):
        check_vocabulary(loaded, places)
    return Judge(loaded, recipe)


@contextmanager
def collected_rows(
    files: Sequence[Path], judge: Judge, scratch: Path, rejected: Path
) -> Iterator[tuple[RowStore, Splits, dict[str, Any]]]:
    """The usable rows of files on the disk, where their splits end, and the report on them.

    Raises:
        JobError: there are none, or too few, or too many are rejected.
    """
    data_files = [file for file in files if file.name != GENERAL_FILE]
    if not data_files:
        raise JobError("there are no data files; add some with `tunestack data add FILE`")
    recipe = judge.recipe
    with RowStore(scratch / "rows.sqlite") as store:
        collected = collect(data_files, judge, store, rejected)
        if recipe.data.max_rows is not None and len(store) > recipe.data.max_rows:
            log.info("data.max_rows: %d of %d rows are used", recipe.data.max_rows, len(store))
            store.keep(recipe.data.max_rows, recipe.training.seed)
        splits = store.splits(recipe.data)
        found = _near_duplicates(store, splits, recipe)
        report = make_report(data_files, collected, store, splits, recipe)
        yield store, splits, {**report, "near_duplicates": found}


def _near_duplicates(store: RowStore, splits: Splits, recipe: Recipe) -> int:
    """How many rows to train on ask nearly what a held-out one asks; they are dropped, if the recipe says so.

    Raises:
        JobError: none are left then.
    """
    held_out = (row for _, row in store.rows_of(splits, "test"))
    found = list(near_duplicates(held_out, store.rows_of(splits, "train")))
    if recipe.data.near_duplicates == "drop":
        store.drop(found)
        if found and not store.sizes(splits)["train"]:
            raise JobError(
                f"all {len(found)} rows to train on ask nearly what a held-out row asks: data.near_duplicates: drop "
                "leaves none"
            )
    return len(found)


def write_splits(store: RowStore, splits: Splits) -> None:
    """Write each row to the file of its split."""
    opened = {name: (contract.processing_output(name) / ROWS_FILE).open("w", encoding="utf-8") for name in SPLITS}
    try:
        for place, line in store.lines():
            opened[splits.of(place)].write(line + "\n")
    finally:
        for file in opened.values():
            file.close()


def read_general(files: Sequence[Path], judge: Judge) -> list[Row]:
    """The general set: the user's own, wherever it lies beside the data, or the kit's.

    Raises:
        JobError: the user's own can't be used, or there are several.
    """
    own = [file for file in files if file.name == GENERAL_FILE]
    if len(own) > 1:
        raise JobError(f"{len(own)} files are called {GENERAL_FILE}: name one version of the data set (DataUri)")
    if not own:
        with package_files("tunestack_training").joinpath("general.jsonl").open(encoding="utf-8") as lines:
            return [to_conversation(json.loads(line))[0] or {} for line in lines]
    rows = []
    for judged in judge.all(read_rows(own[0])):
        if judged.row is None:
            reason = judged.problem or "has more tokens than training.max_length"
            raise JobError(f"{judged.source.file}, line {judged.source.line}: {reason}")
        rows.append(judged.row)
    return rows


def make_report(
    data_files: list[Path], collected: Collected, store: RowStore, splits: Splits, recipe: Recipe
) -> dict[str, Any]:
    """What the data set is like: sizes, reasons of rejection, and the training rows' lengths in tokens."""
    return {
        "files": [file.name for file in data_files],
        "rows": store.sizes(splits),
        "kinds": dict(collected.kinds.most_common()),
        "duplicates": store.duplicates,
        "questions_with_several_answers": store.contradictions(),
        "rejected": collected.rejected,
        "reasons": dict(collected.reasons.most_common()),
        "dropped_for_length": collected.dropped_for_length,
        "ignored_keys": dict(collected.ignored_keys.most_common()),
        "untrained_answers": collected.untrained_answers,
        "train_tokens": store.token_counts(splits, recipe.training.max_length),
    }


def say(report: Mapping[str, Any]) -> None:
    """What a person should know of the report: in the log, and the sizes as the job's message."""
    tokens, sizes = report["train_tokens"], report["rows"]
    log.info("%d tokens of answers to train on, of %d in all", tokens["of_answers"], tokens["total"])
    if cut := tokens["rows_longer_than_max_length"]:
        log.warning(
            "%d of %d training rows are longer than training.max_length and are cut: without its end an answer teaches "
            "to go on; data.long_rows: drop leaves them out", cut, sizes["train"],
        )  # fmt: skip
    if several := report["questions_with_several_answers"]:
        log.warning("%d questions have several different answers: a gate on answers asks for one of them", several)
    if near := report["near_duplicates"]:
        log.warning(
            "%d training rows ask nearly what a held-out row asks: data.near_duplicates drops or keeps them", near
        )
    if sizes["test"] < FEW_TEST_ROWS:
        log.warning("%d held-out rows: below %d the gate is undecided, whatever it says", sizes["test"], FEW_TEST_ROWS)
    parts = [
        ", ".join(f"{sizes[name]} {name}" for name in SPLITS) + " rows",
        f"{report['duplicates']} duplicates dropped",
    ]
    parts += [f"{report['dropped_for_length']} too long rows dropped"] if report["dropped_for_length"] else []
    message = f"{parts[0]}; {', '.join(parts[1:])}, {report['rejected']} rows rejected"
    log.info(message)
    contract.write_exit_message(message)


def write_rows(file: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Write rows as JSON Lines."""
    with file.open("w", encoding="utf-8") as out:
        for row in rows:
            out.write(json.dumps(row, ensure_ascii=False).encode(errors="backslashreplace").decode() + "\n")

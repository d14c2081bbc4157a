"""Prepare: raw files → validated, de-duplicated, split rows, with a report and the rejected rows."""

import hashlib
import json
import logging
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from tunestack_training import contract
from tunestack_training.failure import JobError
from tunestack_training.labels import unlabelled
from tunestack_training.options import recipe_from_options
from tunestack_training.recipe import Data, Recipe
from tunestack_training.rows import Reading, Row, SourceRow, read_row, read_rows, shown, to_conversation
from tunestack_training.tokenizer import encode, load_tokenizer, reserved_tokens, stop_ids

# A file of this name beside the data is the general set; otherwise the one that comes with the kit is used.
GENERAL_FILE = "general.jsonl"
ROWS_FILE = "rows.jsonl"
SPLITS = ("train", "validation", "test")
# Below it, one row more or less moves a gate's figure by more than what a gate asks for.
FEW_TEST_ROWS = 20
log = logging.getLogger(__name__)


def run(options: Mapping[str, str]) -> None:
    """Prepare the data set of a processing job."""
    recipe = recipe_from_options(options)
    source = contract.processing_input("data")
    data_files = sorted(file for file in source.rglob("*") if file.is_file() and file.name != GENERAL_FILE)
    if not data_files:
        raise JobError(f"no data files under {source}; add some with `tunestack data add FILE`")
    tokenizer = load_tokenizer(contract.processing_input("base-model"))
    collected = collect(data_files, recipe, tokenizer)
    splits = split(collected.rows, recipe.data, recipe.training.seed)
    if len(splits["test"]) < FEW_TEST_ROWS:
        log.warning(
            "%d held-out rows: below %d the gate is undecided, whatever it says", len(splits["test"]), FEW_TEST_ROWS
        )
    general = read_general(source, recipe, tokenizer)
    for name in SPLITS:
        write_rows(contract.processing_output(name) / ROWS_FILE, splits[name])
    write_rows(contract.processing_output("general") / ROWS_FILE, general)
    write_rows(contract.processing_output("rejected") / ROWS_FILE, collected.rejected)
    report = make_report(recipe, data_files, splits, collected, tokenizer)
    contract.write_json(contract.processing_output("report") / "report.json", report)
    sizes = ", ".join(f"{len(splits[name])} {name}" for name in SPLITS)
    message = f"{sizes} rows; {collected.duplicates} duplicates dropped, {len(collected.rejected)} rows rejected"
    log.info(message)
    contract.write_exit_message(message)


@dataclass(kw_only=True)
class Collected:
    """What the files hold: the good rows without duplicates, the rejected ones with their reasons, and counts."""

    rows: list[Row] = field(default_factory=list)
    rejected: list[dict[str, Any]] = field(default_factory=list)
    duplicates: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    # What usable rows hold that nothing is trained on: keys, and answers before the last.
    ignored_keys: Counter[str] = field(default_factory=Counter)
    untrained_answers: int = 0


def collect(data_files: Iterable[Path], recipe: Recipe, tokenizer: Any) -> Collected:
    """What the files hold.

    Raises:
        JobError: a file can't be read, or more rows are rejected than the recipe allows.
    """
    reserved, stops = reserved_tokens(tokenizer), stop_ids(tokenizer)
    collected, seen = Collected(), 0
    rows: dict[str, Row] = {}
    for file in data_files:
        for source in read_rows(file):
            seen += 1
            reading = Reading(problem=source.problem) if source.problem else read_row(source.value, reserved)
            row, reason = reading.row, reading.problem
            if row is not None and (reason := unlabelled(row, recipe.training.max_length, tokenizer, stops)):
                row = None
            if row is None:
                collected.rejected.append(_rejection(source, reason or ""))
                continue
            key = digest(row)
            collected.duplicates += key in rows
            rows.setdefault(key, row)
            collected.kinds[reading.kind] += 1
            collected.ignored_keys.update(reading.ignored)
            collected.untrained_answers += reading.untrained_answers
    _refuse_too_many_rejected(collected.rejected, seen, recipe.data)
    _say_what_is_ignored(collected)
    collected.rows = chosen_rows(rows, recipe)
    return collected


def chosen_rows(rows: dict[str, Row], recipe: Recipe) -> list[Row]:
    """As many rows as `data.max_rows` says, by the seed; `rows` by their digests."""
    limit = recipe.data.max_rows
    if limit is None or len(rows) <= limit:
        return list(rows.values())
    log.info("data.max_rows: %d of %d rows are used", limit, len(rows))
    return [rows[key] for key in sorted(rows, key=lambda key: digest([recipe.training.seed, key]))[:limit]]


def _say_what_is_ignored(collected: Collected) -> None:
    for key, count in collected.ignored_keys.most_common():
        log.info("key %s of %d rows is not trained on", shown(key), count)
    if collected.untrained_answers:
        log.info("%d answers beside a conversation's trained one are read and not trained", collected.untrained_answers)
    log.info("read: %s", ", ".join(f"{count} {kind}" for kind, count in collected.kinds.most_common()) or "no rows")


def split(rows: list[Row], data: Data, seed: int) -> dict[str, list[Row]]:
    """Rows by split. A row's place depends on its prompt and the seed alone: it stays when data is added,
    and rows with one prompt are never on two sides. Of few rows, as many are held out as a gate needs.

    Raises:
        JobError: there are too few rows.
    """
    places = [int(digest([seed, row["prompt"]])[:12], 16) / 16**12 for row in rows]
    questions, needed = sorted(set(places)), data.min_test_rows
    if len(questions) < 2 * (needed + 1):
        raise JobError(
            f"{len(questions)} different questions are too few: {needed} are held out (data.min_test_rows), one more "
            "watches the training, and at least as many must be trained on"
        )
    test_end = max(data.test_fraction, _after(questions, needed))
    rest = [place for place in questions if place >= test_end]
    validation_end = max(test_end + data.validation_fraction, _after(rest, 1))
    splits: dict[str, list[Row]] = {name: [] for name in SPLITS}
    for row, place in zip(rows, places, strict=True):
        splits["test" if place < test_end else "validation" if place < validation_end else "train"].append(row)
    if not splits["train"]:
        raise JobError(
            f"of {len(rows)} rows none is left to train on: lower data.validation_fraction "
            f"({data.validation_fraction}) or data.test_fraction ({data.test_fraction})"
        )
    return splits


def _after(places: list[float], count: int) -> float:
    """A limit that so many of the places lie below; they are in order, and each is there once."""
    return (places[count - 1] + places[count]) / 2 if count < len(places) else 1.0


def read_general(source: Path, recipe: Recipe, tokenizer: Any) -> list[Row]:
    """The general set: the user's own, wherever it lies beside the data, or the kit's.

    Raises:
        JobError: the user's own can't be used, or there are several.
    """
    own = sorted(source.rglob(GENERAL_FILE))
    if len(own) > 1:
        raise JobError(f"{len(own)} files are called {GENERAL_FILE}: name one version of the data set (DataUri)")
    if not own:
        with files("tunestack_training").joinpath("general.jsonl").open(encoding="utf-8") as lines:
            return [to_conversation(json.loads(line))[0] or {} for line in lines]
    rows = []
    for item in read_rows(own[0]):
        row, reason = (None, item.problem) if item.problem else to_conversation(item.value)
        reason = unlabelled(row, recipe.training.max_length, tokenizer, stop_ids(tokenizer)) if row else reason
        if row is None or reason:
            raise JobError(f"{item.file}, line {item.line}: {reason}")
        rows.append(row)
    return rows


def make_report(
    recipe: Recipe,
    data_files: list[Path],
    splits: dict[str, list[Row]],
    collected: Collected,
    tokenizer: Any,
) -> dict[str, Any]:
    """What the data set is like: sizes, reasons of rejection, and the training rows' lengths in tokens."""
    limit = recipe.training.max_length
    encoded = [encode(tokenizer, row["prompt"], row["completion"]) for row in splits["train"]]
    lengths = [len(tokens) for tokens, _ in encoded]
    of_answers = sum(min(len(tokens), limit) - answer for tokens, answer in encoded)
    log.info("%d tokens of answers to train on, of %d in all", of_answers, sum(lengths))
    cut = sum(length > limit for length in lengths)
    if cut:
        log.warning("%d of %d training rows are longer than max_length %d and are cut", cut, len(lengths), limit)
    return {
        "files": [file.name for file in data_files],
        "rows": {name: len(rows) for name, rows in splits.items()},
        "kinds": dict(collected.kinds.most_common()),
        "duplicates": collected.duplicates,
        "rejected": len(collected.rejected),
        "reasons": dict(Counter(item["reason"] for item in collected.rejected).most_common()),
        "ignored_keys": dict(collected.ignored_keys.most_common()),
        "untrained_answers": collected.untrained_answers,
        "train_tokens": {
            "total": sum(lengths),
            "of_answers": of_answers,
            "min": min(lengths),
            "median": statistics.median(lengths),
            "p95": sorted(lengths)[int(0.95 * (len(lengths) - 1))],
            "max": max(lengths),
            "rows_longer_than_max_length": cut,
        },
    }


def write_rows(file: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Write rows as JSON Lines."""
    with file.open("w", encoding="utf-8") as out:
        for row in rows:
            # A table's rejected row may hold what JSON has no form for: dates, decimals, bytes.
            out.write(
                json.dumps(row, ensure_ascii=False, default=str).encode(errors="backslashreplace").decode() + "\n"
            )


def _rejection(source: SourceRow, reason: str) -> dict[str, Any]:
    return {"file": source.file, "line": source.line, "reason": reason, "row": source.value}


def _refuse_too_many_rejected(rejected: list[dict[str, Any]], seen: int, data: Data) -> None:
    if not seen:
        raise JobError("the data files hold no rows")
    share = len(rejected) / seen
    if share <= data.max_rejected_fraction:
        return
    # The output with the rejected rows is not kept of a failed job: the log has the first of them.
    for item in rejected[:20]:
        log.error("%s, line %s: %s", item["file"], item["line"], item["reason"])
    first = rejected[0]
    raise JobError(
        f"{len(rejected)} of {seen} rows are rejected ({share:.0%}, data.max_rejected_fraction allows "
        f"{data.max_rejected_fraction:.0%}); the first: {first['file']}, line {first['line']}: {first['reason']}"
    )


def digest(value: Any) -> str:
    """A name for a value: the same for the same."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()

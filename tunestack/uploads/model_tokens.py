"""A model's tokens, read before it is uploaded: each of them, and each that its files name, must have a place."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tunestack.uploads.upload import UploadError

_OWN = ("tokenizer.model", "vocab.json", "vocab.txt")
# Those that conversations are made of.
_SPECIAL = ("bos_token", "eos_token", "pad_token")
_NAMED_BY_NUMBER = ("bos_token_id", "eos_token_id", "pad_token_id")
_WAY = "resize its embeddings (resize_token_embeddings), or take the token out"
File = Mapping[str, Any]


def check_tokens(folder: Path, read: Mapping[str, File], places: int | None) -> None:
    """See that a model with so many places has one for each token that its files name.

    Raises:
        UploadError: it hasn't, or there is no tokenizer.json: a GPU would fail on it in the middle of a training.
    """
    if "tokenizer.json" not in read:
        own = [name for name in _OWN if (folder / name).is_file()]
        found = f" (found {', '.join(own)})" if own else ""
        raise UploadError(
            f"{folder} has no tokenizer.json{found}: make it with transformers, "
            "AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER)"
        )
    try:
        beyond = list(_beyond(read, places)) if places else []
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise UploadError(
            f"{folder}/tokenizer.json is not as tokenizers writes it ({error!r}): save it again"
        ) from None
    if beyond:
        file, token, number = max(beyond, key=lambda item: item[2])
        raise UploadError(
            f"{folder}/{file}: token {token!r} has the number {number:,}, and the model has places for {places:,} "
            f"tokens: {_WAY}"
        )


def _beyond(read: Mapping[str, File], places: int) -> Iterator[tuple[str, str, int]]:
    """The tokens without a place: the file that names them, what they are, and their number."""
    known = dict(_tokens(read["tokenizer.json"]))
    yield from (("tokenizer.json", token, number) for token, number in known.items() if number >= places)
    config, added = read.get("tokenizer_config.json", {}), read.get("added_tokens.json", {})
    named = {str(item["content"]): int(number) for number, item in (config.get("added_tokens_decoder") or {}).items()}
    for file, tokens in (("tokenizer_config.json", named), ("added_tokens.json", added)):
        yield from ((file, token, number) for token, number in tokens.items() if int(number) >= places)
    # What isn't there is given the next number by transformers.
    following = max([*known.values(), *named.values(), -1]) + 1
    specials = dict.fromkeys(_special(config) + _special(read.get("special_tokens_map.json", {})))
    for token in (token for token in specials if token not in known and token not in named):
        if following >= places:
            yield "tokenizer_config.json", token, following
        following += 1
    for file in ("config.json", "generation_config.json"):
        said = read.get(file, {}).get("text_config") or read.get(file, {})
        for key in _NAMED_BY_NUMBER:
            numbers = said.get(key)
            for number in numbers if isinstance(numbers, list) else [numbers]:
                if isinstance(number, int) and number >= places:
                    yield file, key, number


def _special(config: File) -> list[str]:
    found = [config.get(name) for name in _SPECIAL]
    return [str(item["content"] if isinstance(item, dict) else item) for item in found if item]


def _tokens(tokenizer: File) -> Iterator[tuple[str, int]]:
    vocabulary = (tokenizer.get("model") or {}).get("vocab")
    if isinstance(vocabulary, list):
        vocabulary = {pair[0]: number for number, pair in enumerate(vocabulary)}
    pairs = vocabulary.items() if isinstance(vocabulary, dict) else ()
    yield from ((str(token), number) for token, number in pairs if isinstance(number, int))
    for item in tokenizer.get("added_tokens") or []:
        yield str(item["content"]), int(item["id"])

"""Rows to train on that ask nearly what a held-out row asks: a model that has learned them passes a gate by heart."""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Set
from itertools import islice
from typing import Any

from tunestack_training.answer_words import WITHOUT_SPACES

# Of the words that stand together in two questions, so many in common make them nearly one (Jaccard's index).
SIMILAR = 0.8
# More held-out rows than are ever judged; their signatures are what memory must hold.
MOST_HELD_OUT = 20_000
# MinHash (Broder 1997): 64 values tell 0.8 from 0.5; 16 bands of 4 find nearly all that are as much alike.
_VALUES, _BANDS, _SEED = 64, 16, 1
# What so many of the questions say is how they all are put.
_COMMON_FRACTION, _FEW = 0.2, 2
_WORDS, _SIGNS = 3, 5


class HeldOutQuestions:
    """The questions that a model is judged by, to be looked up by what is nearly the same."""

    def __init__(self, questions: Iterable[str]) -> None:
        from rensa import RMinHashLSH

        parts = [parts_of(question) for question in islice(questions, MOST_HELD_OUT)]
        counts = Counter(part for found in parts for part in found)
        most = max(_FEW, _COMMON_FRACTION * len(parts))
        self._common = frozenset(part for part, count in counts.items() if count > most)
        self._index = RMinHashLSH(threshold=SIMILAR, num_perm=_VALUES, num_bands=_BANDS)
        self._signatures: list[Any] = []
        for found in parts:
            if signature := self._signature(found):
                self._index.insert(len(self._signatures), signature)
                self._signatures.append(signature)

    def has_nearly(self, question: str) -> bool:
        """Whether one of them is nearly this one."""
        signature = self._signature(parts_of(question))
        return signature is not None and any(
            self._signatures[index].jaccard(signature) >= SIMILAR for index in self._index.query(signature)
        )

    def _signature(self, parts: Set[str]) -> Any:
        """MinHash of what is a question's own, or None where nothing is."""
        from rensa import RMinHash

        own = sorted(parts - self._common)
        if not own:
            return None
        made = RMinHash(num_perm=_VALUES, seed=_SEED)
        made.update(own)
        return made


def parts_of(text: str) -> frozenset[str]:
    """Words as they stand together in a text, three by three; of scripts that put no spaces, signs five by five."""
    words = re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold())
    if WITHOUT_SPACES.search(text):
        signs = "".join(words)
        return frozenset(signs[start : start + _SIGNS] for start in range(max(1, len(signs) - _SIGNS + 1)))
    return frozenset(" ".join(words[start : start + _WORDS]) for start in range(max(1, len(words) - _WORDS + 1)))


def near_duplicates(held_out: Iterable[str], trained: Iterable[tuple[int, str]]) -> Iterator[int]:
    """The numbers of rows to train on that ask nearly what a held-out one asks; rows are JSON, as they are stored."""
    questions = HeldOutQuestions(map(_question, held_out))
    return (number for number, row in trained if questions.has_nearly(_question(row)))


def _question(row: str) -> str:
    """All that a user says before the answer that is trained."""
    return "\n".join(message["content"] for message in json.loads(row)["prompt"] if message["role"] == "user")

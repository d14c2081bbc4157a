"""docs/images/run.svg: `tunestack tune` as a terminal shows it, from a real run; after `make demo`.

python -m scripts.terminal_picture [--fresh]
"""

import contextlib
import json
import sys
import tempfile
from pathlib import Path

from tunestack.cli.following import console
from tunestack.cli.tune import tune_command

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "images" / "run.svg"
COLUMNS = 118
# A style that a small model learns from few rows, and that its base doesn't have.
COLORS = ("apple", "banana", "cherry", "grape", "lemon", "lime", "mango", "orange", "peach", "pear", "plum", "kiwi")
ROWS = 60
QUESTIONS = ("Describe a melon.", "Describe a coconut.", "Describe a fig.")


def rows() -> list[dict[str, str]]:
    """What is trained on: the same form of answer, many times."""
    forms = ("Describe a {}.", "What is a {}?", "Tell me about a {}.", "Say something about a {}.", "Explain a {}.")
    found = [(form.format(fruit), fruit) for form in forms for fruit in COLORS][:ROWS]
    return [
        {"instruction": question, "response": f"Fruit report: {fruit}. Verdict: eat it before noon."}
        for question, fruit in found
    ]


def main() -> None:
    console.record, console.width, console.soft_wrap = True, COLUMNS, False
    with tempfile.TemporaryDirectory() as folder:
        data, questions = Path(folder) / "fruit.jsonl", Path(folder) / "questions.jsonl"
        data.write_text("".join(json.dumps(row) + "\n" for row in rows()), encoding="utf-8")
        questions.write_text("".join(json.dumps({"instruction": text}) + "\n" for text in QUESTIONS), encoding="utf-8")
        # It says nothing to a reader: the picture was drawn before.
        options = " ".join(word for word in sys.argv[1:] if word != "--fresh")
        console.print(f"[bold]$ tunestack tune fruit.jsonl --questions questions.jsonl {options}[/bold]\n")
        with contextlib.suppress(SystemExit):
            tune_command.main([str(data), "--questions", str(questions), *sys.argv[1:]], standalone_mode=False)
    console.save_svg(str(PICTURE), title="tunestack")


if __name__ == "__main__":
    main()

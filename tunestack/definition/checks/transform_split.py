"""A transform that batches records or puts answers together says how its input is split."""

from tunestack.definition.subject import TRANSFORM, Problems, Subject

KINDS = frozenset({TRANSFORM})


def check(subject: Subject) -> Problems:
    if subject.part("TransformInput").get("SplitType", "None") != "None":
        return
    if subject.arguments.get("BatchStrategy") == "MultiRecord":
        yield "BatchStrategy", "MultiRecord needs TransformInput.SplitType"
    if subject.part("TransformOutput").get("AssembleWith", "None") != "None":
        yield "TransformOutput.AssembleWith", "needs TransformInput.SplitType"

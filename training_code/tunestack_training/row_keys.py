"""What the keys of a row mean: its parts, by the names that people have for them, and what makes another of it."""

from tunestack_training.messages import TOOLS

CONVERSATIONS = ("messages", "conversations", "conversation", "chat")
QUESTIONS = ("instruction", "prompt", "question", "query", "problem", "inputs")
ANSWERS = ("response", "output", "completion", "answer", "solution", "targets")
# What belongs to a question, behind it; and what stands before it.
CONTEXTS = ("input", "context")
SYSTEMS = ("system", "system_prompt")
HISTORY = "history"
# Of unpaired preferences, as text, too.
VERDICTS = {"true", "false", "0", "1", "good", "bad", "desirable", "undesirable"}
_PREFERENCE = (
    "a row is a preference pair: for DPO or a reward model; to train on its good answer alone, name it 'response'"
)
_FOR_REINFORCEMENT = "a row is for reinforcement learning with a reward: this recipe trains on answers"
JUDGED = "a row is judged as good or bad: for KTO; to train on the good ones, keep those, without the key"
# Key → what a row with it is for, or what becomes of it: not this, and never without it.
MEANS = {
    "chosen": _PREFERENCE, "rejected": _PREFERENCE, "rejected_response": _PREFERENCE, "chosen_response": _PREFERENCE,
    "reward_model": _FOR_REINFORCEMENT, "ground_truth": _FOR_REINFORCEMENT,
    "kto_tag": JUDGED,
    "images": "a row comes with pictures: this kit trains on text alone",
    "image": "a row comes with a picture: this kit trains on text alone",
    "videos": "a row comes with videos: this kit trains on text alone",
    "audios": "a row comes with sound: this kit trains on text alone",
    "audio": "a row comes with sound: this kit trains on text alone",
    **dict.fromkeys(
        ("reasoning", "reasoning_content", "thinking", "rationale", "chain_of_thought", "cot"),
        "a row has reasoning beside its answer: put it into the answer as the model is to write it, or leave it out",
    ),
    **dict.fromkeys(
        ("contexts", "documents", "passage", "passages", "evidence", "knowledge", "background"),
        "a row has more to its question than is used: name it 'context', as text",
    ),
}  # fmt: skip
# Every key that means something here.
KNOWN = {
    *CONVERSATIONS, *QUESTIONS, *ANSWERS, *CONTEXTS, *SYSTEMS, HISTORY, *MEANS, *TOOLS, "label", "weight", "text",
}  # fmt: skip

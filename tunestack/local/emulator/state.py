"""ministack's state on disk: written while it serves, so that a killed server loses two seconds at most.

ministack saves at its end only; S3's objects are written at once by ministack itself, models and versions by
`moto_sagemaker`.
"""

import asyncio

SAVE_EVERY_SECONDS = 2.0
# What an operation that was cut off leaves behind → what a user can go on from.
_AFTER_INTERRUPTION = {
    "CREATE_IN_PROGRESS": "CREATE_FAILED",
    "ROLLBACK_IN_PROGRESS": "ROLLBACK_FAILED",
    "DELETE_IN_PROGRESS": "DELETE_FAILED",
    "REVIEW_IN_PROGRESS": "REVIEW_IN_PROGRESS",
}


class EmulatorState:
    """Saves what ministack keeps in memory, and repairs it when it is loaded."""

    def __init__(self) -> None:
        self._changed = False

    def mark_changed(self) -> None:
        """Something may have changed since the last save."""
        self._changed = True

    async def save_regularly(self) -> None:
        """Save every two seconds when something changed, until cancelled."""
        while True:
            await asyncio.sleep(SAVE_EVERY_SECONDS)
            if self._changed:
                self._changed = False
                self.save()

    def save(self) -> None:
        """Write the state, each file atomically."""
        import ministack.app as ministack
        from ministack.core.persistence import save_all

        save_all(ministack._build_persistence_save_dict())

    def repair_interrupted_stacks_on_load(self) -> None:
        """Give stacks whose operation was cut off by a kill a state that the next deploy can start from."""
        import ministack.app as ministack

        load = ministack._load_persisted_state

        def load_and_repair() -> None:
            load()
            _repair_interrupted_stacks()

        ministack._load_persisted_state = load_and_repair


def _repair_interrupted_stacks() -> None:
    from ministack.services.cloudformation import _stacks

    for stack in _stacks._data.values():
        status = stack.get("StackStatus", "")
        if status.endswith("_IN_PROGRESS"):
            stack["StackStatus"] = _AFTER_INTERRUPTION.get(status, "UPDATE_ROLLBACK_COMPLETE")
            stack["StackStatusReason"] = "interrupted: the local AWS was stopped while it worked on this stack"

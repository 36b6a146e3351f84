"""cell_line.py -- one line of a notebook cell's output that is updated in place, for the bar of a training.

The frontend replaces the line, and so does whatever executes and saves the notebook (nbclient, nbconvert, papermill),
so that a saved notebook or page has its last state only: carriage returns would leave a line for every state, and
exported pages do not show ipywidgets.
"""

import os
from typing import Any


class CellLine:
    """A stream for tqdm, which writes each state after a carriage return.

    Args:
        shell: IPython's shell in a kernel.
    """

    encoding = "utf-8"  # tqdm draws its bar in blocks

    def __init__(self, shell: Any) -> None:
        self._publisher = shell.display_pub
        self._name = os.urandom(16).hex()
        self._shown: str | None = None
        if hasattr(self._publisher, "register_hook"):
            self._publisher.register_hook(self._noticed)

    def write(self, text: str) -> None:
        """Shows a state; a blank one leaves room for the next."""
        if (state := text.strip("\r")) and (state := state.rstrip() or " ") != self._shown:
            self._publish(state)

    def flush(self) -> None:
        """Nothing is held back."""

    def end(self) -> None:
        """Leaves no room."""
        if self._shown is not None:
            self._publish("")
        if hasattr(self._publisher, "unregister_hook"):
            self._publisher.unregister_hook(self._noticed)

    def _noticed(self, message: Any) -> Any:
        """Shows the line anew once the cell was cleared, as callbacks do that draw a plot in place."""
        if message["header"]["msg_type"] == "clear_output":
            self._shown = None
        return message

    def _publish(self, state: str) -> None:
        update = self._shown is not None
        self._publisher.publish({"text/plain": state}, {}, transient={"display_id": self._name}, update=update)
        self._shown = state

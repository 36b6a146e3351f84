"""saving.py -- Checkpoint: saves the model whenever an epoch is the best so far."""

from pathlib import Path

from pyneural.arguments.checks import warn
from pyneural.arguments.familiar_keywords import OF_SAVING
from pyneural.arguments.paths import model_path
from pyneural.arguments.spelling import check_keywords
from pyneural.callbacks.callback import Callback, Logs
from pyneural.files.safetensors import save


class Checkpoint(Callback):
    """Saves the model after each epoch that is the best so far, for pn.load.

    This is for using the model during the training.  To resume a training that was killed, use
    pn.fit(checkpoint="run.ckpt"), which also saves the optimizer and the position.  If the file cannot be written, a
    warning says so, the file of the previous best epoch remains, and the training continues.

    Args:
        path: ends in .safetensors.

    Raises:
        ValueError, TypeError, OSError: the path cannot be written.

    >>> import tempfile
    >>> x = np.linspace(-1, 1, 64, dtype=np.float32).reshape(-1, 1)
    >>> model = pn.Sequential(pn.Dense(1))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     best = pn.callbacks.Checkpoint(folder + "/best.safetensors")
    ...     history = pn.fit(model, (x, x), callbacks=[best], verbose=0)
    ...     pn.load(folder + "/best.safetensors").fingerprint() == history.fingerprint
    True
    """

    @check_keywords(**OF_SAVING)
    def __init__(self, path: str | Path) -> None:
        self.path = model_path("Checkpoint", path)
        self._place = self.path.absolute()  # the program may change its folder

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Saves the model if the epoch is the best so far."""
        if epoch == self.run.best_epoch:
            try:
                save(self.run.model, self._place)
            except OSError as error:
                warn(f"fit: {self!r} could not save epoch {epoch} ({error.strerror or error}); the training goes on")

    def __repr__(self) -> str:
        return f"Checkpoint({str(self.path)!r})"

"""automatic_batches.py -- what batch_size="auto" means: 32 for tables (n, F) of fewer than 10,000 examples, else 64.

Small batches make twice as many steps in an epoch, of which the fast networks of tables need many.
"""

LARGE = 10_000  # examples
_SMALL, _USUAL = 32, 64  # examples per step


def batch_size_for(examples: int, *, is_table: bool) -> int:
    """The number of examples per step for that many training examples.

    >>> batch_size_for(500, is_table=True), batch_size_for(500, is_table=False), batch_size_for(10_000, is_table=True)
    (32, 64, 64)
    """
    return _SMALL if is_table and examples < LARGE else _USUAL

"""What a model file says of its inputs and outputs."""

from pyneural.card.card import Card

__all__ = ["Card"]

"""How a model preprocesses its inputs and what its outputs mean, saved with it."""

from pyneural.card.card import Card

__all__ = ["Card"]

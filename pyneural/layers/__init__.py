"""The layers."""

from pyneural.layers.activations import Activation
from pyneural.layers.convolution import AvgPool2D, Conv2D, DepthwiseConv2D, GlobalAvgPool2D, MaxPool2D
from pyneural.layers.dense import Dense, Embedding
from pyneural.layers.embed_columns import EmbedColumns
from pyneural.layers.joins import Add, Arithmetic, Concatenate, Multiply
from pyneural.layers.layer import Layer
from pyneural.layers.norms import BatchNorm, Dropout, LayerNorm
from pyneural.layers.reshaping import Flatten, Reshape

__all__ = [
    "Activation",
    "Add",
    "Arithmetic",
    "AvgPool2D",
    "BatchNorm",
    "Concatenate",
    "Conv2D",
    "Dense",
    "DepthwiseConv2D",
    "Dropout",
    "EmbedColumns",
    "Embedding",
    "Flatten",
    "GlobalAvgPool2D",
    "Layer",
    "LayerNorm",
    "MaxPool2D",
    "Multiply",
    "Reshape",
]

"""Modules by the names that earlier pickles hold."""

import pickle

import pytest

import pyneural as pn
from pyneural.files.safetensors import loads

EARLIER = {
    "activations": ["Activation"],
    "apps.digits": ["Run", "digits_cnn"],
    "convolution": ["AvgPool2D", "Conv2D", "DepthwiseConv2D", "GlobalAvgPool2D", "MaxPool2D"],
    "dataset": ["Dataset", "Splits"],
    "datasets": ["mnist"],
    "digit": ["Preparation"],
    "estimate": ["Estimate"],
    "evaluate": ["Prediction"],
    "files": ["loads"],
    "history": ["History"],
    "joins": ["Add", "Arithmetic", "Concatenate", "Multiply"],
    "layer": ["Layer"],
    "layers": ["Dense", "Embedding"],
    "losses": ["Loss"],
    "model": ["Model", "Sequential"],
    "norms": ["BatchNorm", "Dropout", "LayerNorm"],
    "optimizers": ["SGD", "Adam", "AdamW", "RMSprop"],
    "preprocessing": ["Preprocessing"],
    "report": ["Report"],
    "shapes": ["Flatten", "Reshape"],
    "task": ["Task"],
}


@pytest.mark.parametrize(("module", "name"), [(module, name) for module, names in EARLIER.items() for name in names])
def test_a_pickle_finds_what_has_moved(module, name):
    found = pickle.loads(f"cpyneural.{module}\n{name}\n.".encode())
    assert found.__name__ == name
    assert getattr(pn, name, found) is found


def test_a_pickle_finds_a_card():
    assert pickle.loads(b"cpyneural.card\nCard\n.") is type(pn.Sequential(pn.Dense(1)).card)


def test_a_pickle_with_an_earlier_name_leaves_the_app_callable():
    assert pickle.loads(b"cpyneural.apps.digits\nRun\n.").__name__ == "Run"
    assert callable(pn.apps.digits)


def test_a_model_pickled_by_the_earlier_names_loads():
    """What Model.__reduce__ gave: pyneural.files.loads, the bytes, and the classes of the layers."""
    model = pn.Sequential(pn.Conv2D(2, 3), pn.Flatten(), pn.Dense(1))
    model.build((4, 4, 1))
    data = pickle.dumps(model, protocol=0)
    moved = {
        "pyneural.files.safetensors\n": "pyneural.files\n",
        "pyneural.layers.convolution\n": "pyneural.convolution\n",
        "pyneural.layers.reshaping\n": "pyneural.shapes\n",
        "pyneural.layers.dense\n": "pyneural.layers\n",
    }
    for now, earlier in moved.items():
        assert now.encode() in data
        data = data.replace(now.encode(), earlier.encode())
    assert pickle.loads(data).fingerprint() == model.fingerprint()
    assert loads.__module__ == "pyneural.files.safetensors"

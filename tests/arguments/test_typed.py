"""The command line is shown where it is pyneural's, quoted as a shell takes it."""

import sys

import pytest

from pyneural.arguments.typed import typed


@pytest.mark.parametrize(
    ("argv", "shown"),
    [
        (["/usr/bin/pyneural", "xray", "my folder"], "pyneural xray 'my folder'"),
        (["/a/site-packages/pyneural/__main__.py", "info", "m.safetensors"], "pyneural info m.safetensors"),
        (["pyneural.exe", "digits"], "pyneural digits"),
        (["train.py", "--pyneural"], ""),
        (["", "x"], ""),
        ([], ""),
    ],
)
def test_only_our_own_command_is_shown(monkeypatch, argv, shown):
    monkeypatch.setattr(sys, "argv", argv)
    assert typed() == shown

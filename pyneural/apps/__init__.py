"""Complete applications, one function each."""

from pyneural.arguments.familiar_modules import OF_APPS
from pyneural.arguments.spelling import names_of
from pyneural.first_use import load_name

HOMES = {  # each name with its module, as in the package's own __init__.py
    "digits": "digits_app",
    "digits_cnn": "digits_app",
    "digits_mlp": "digits_app",
    "image_cnn": "train_app",
    "table_mlp": "train_app",
    "train": "train_app",
    "train_table": "table_app",
    "two_digits": "two_digits_app",
    "two_digits_cnn": "two_digits_app",
    "two_digits_mlp": "two_digits_app",
    "xray": "xray_app",
    "xray_cnn": "xray_app",
}

__all__ = sorted(HOMES)


def __getattr__(name: str) -> object:
    if name in HOMES:
        return load_name(globals(), HOMES, name)
    return names_of("pyneural.apps", HOMES, OF_APPS)(name)


def __dir__() -> list[str]:
    return __all__

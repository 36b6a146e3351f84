"""first_use.py -- names of a package that load when they are first used.

Importing a folder imports none of its modules, so two threads that load modules at once never wait for each other: one
would hold the lock of the folder and want that of a module in it, the other the reverse.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Any


def load_name(package: dict[str, Any], homes: Mapping[str, str], name: str) -> Any:
    """The value of a name, kept in the package, so that later uses do not come here.

    Args:
        package: the globals of the package.
        homes: the module in it that defines each name; a module that is public itself is its own home.
        name: one of them.
    """
    module = import_module(f"{package['__name__']}.{homes[name]}")
    package[name] = module if homes[name] == name else getattr(module, name)
    return package[name]

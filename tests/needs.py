"""The programs that some tests need and pip does not install: whether they are here, and how to get them."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from typing import NamedTuple

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_PACKAGES = ("playwright", "axe_playwright_python", "jupyterlab")
CHROMIUM = next((found for name in _BROWSERS if (found := shutil.which(name))), None)


class Need(NamedTuple):
    """What a group of tests needs.

    Args:
        tests: the name of the group.
        variable: the environment variable that makes these tests required.
        missing: what is not installed, and how to install it.
    """

    tests: str
    variable: str
    missing: list[str]

    @property
    def is_required(self) -> bool:
        return os.environ.get(self.variable) == "required"


BROWSER = Need(
    "browser",
    "BROWSER_TESTS",
    [
        *(() if CHROMIUM else ("Chromium (Debian: apt-get install chromium)",)),
        *(f"{name} (pip install '.[test]')" for name in _PACKAGES if not find_spec(name)),
    ],
)
WEB = Need(
    "web",
    "WEB_TESTS",
    [f"{name} (Debian: apt-get install {name})" for name, program in (("emscripten", "emcc"), ("nodejs", "node"))
     if not shutil.which(program)],
)  # fmt: skip
NEEDS = (BROWSER, WEB)

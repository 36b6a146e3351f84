"""A JupyterLab of its own: its server, and a notebook in a page of a browser."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import jupyter_kernels
import nbformat
from playwright.sync_api import Browser, Locator

SECONDS = 30  # for what takes two, on a crowded machine
_SETTINGS = {"notification": {"fetchNews": "false", "checkForUpdates": False}}  # asks nothing at its start


class Server:
    """A running JupyterLab that has no settings or extensions of the user.

    Args:
        folder: where it keeps its files, and finds notebooks.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        settings = folder / "settings" / "@jupyterlab" / "apputils-extension"
        settings.mkdir(parents=True)
        for name, values in _SETTINGS.items():
            (settings / f"{name}.jupyterlab-settings").write_text(json.dumps(values))
        variables = jupyter_kernels.environment(folder) | {
            "JUPYTER_DATA_DIR": str(folder / "data"),
            "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        }
        variables.pop("MPLBACKEND", None)  # the kernel's own shows plots
        command = [
            sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", "--port=0",
            "--IdentityProvider.token=", f"--ServerApp.root_dir={folder}", "--LabApp.extension_manager=readonly",
        ]  # fmt: skip
        self._log = folder / "log"
        with self._log.open("w") as log:
            self._program = subprocess.Popen(
                command, env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log
            )
        self.address = self._announced()

    def _announced(self) -> str:
        until = time.monotonic() + SECONDS
        while time.monotonic() < until and self._program.poll() is None:
            if found := re.search(r"http://127\.0\.0\.1:\d+/", self._log.read_text()):
                return found.group()
            time.sleep(0.1)
        self.stop()
        raise AssertionError(self._log.read_text())

    def stop(self) -> None:
        self._program.terminate()
        self._program.wait(SECONDS)


class Notebook:
    """A new notebook, opened in JupyterLab.

    Args:
        server: the running JupyterLab.
        chromium: the browser.
        cells: the code of its cells.
    """

    def __init__(self, server: Server, chromium: Browser, cells: list[str]) -> None:
        self.path = server.folder / "made.ipynb"
        self.count = len(cells)
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
        made = [nbformat.v4.new_code_cell(cell) for cell in cells]
        nbformat.write(nbformat.v4.new_notebook(cells=made, metadata=kernel), self.path)
        self.page = chromium.new_page(viewport={"width": 1200, "height": 2000})  # cells out of sight are not drawn
        self.page.set_default_timeout(1000 * SECONDS)
        self.page.goto(f"{server.address}doc/tree/{self.path.name}")
        self.page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
        self.wait_until_idle()

    def wait_until_idle(self) -> None:
        self.page.get_by_text("| Idle").wait_for()

    def cell(self, number: int) -> Locator:
        return self.page.locator(".jp-CodeCell").nth(number)

    def start(self, number: int) -> None:
        """Clicks a cell and starts it."""
        self.cell(number).locator(".jp-InputPrompt").click()
        self.page.keyboard.press("Control+Enter")
        self.page.get_by_text("| Busy").wait_for()

    def run(self, number: int) -> str:
        """Runs a cell to its end; the text that it shows."""
        self.cell(number).locator(".jp-InputPrompt").click()
        self.page.keyboard.press("Control+Enter")
        self.cell(number).get_by_text(re.compile(r"^\[\d+\]:$")).first.wait_for()
        self.wait_until_idle()
        return self.shown(number)

    def shown(self, number: int) -> str:
        """The text that a cell shows now, without blank lines."""
        texts = self.cell(number).locator(".jp-OutputArea-output").all_inner_texts()
        return "\n".join(line.rstrip() for line in "\n".join(texts).splitlines() if line.strip())

    def interrupt(self) -> None:
        """Presses the stop button."""
        self.page.locator('[data-jp-item-name="interrupt"] jp-button').click()

    def save(self) -> None:
        self.page.keyboard.press("Control+s")
        until = time.monotonic() + SECONDS
        while not json.loads(self.path.read_text())["cells"][-1]["outputs"]:
            assert time.monotonic() < until, "the notebook was not saved"
            time.sleep(0.1)

"""page_cells.py -- pages of plain Markdown as notebooks: each ```python block is a cell, which the build executes.

Words after `python` say what is special about a block; a repository browser shows the block without them:

    ```python raises ValueError     the block fails, with this error, which the page shows
    ```python hidden                the block is executed, and neither it nor its output is shown
    ```python shown                 the block is not executed: a fragment, in a page that says what is missing in it

Blocks of ```pycon are doctests, which the tests run.
"""

import re
from typing import Any

import nbformat.v4 as notebooks

BLOCK = re.compile(r"^```python(?: (?P<words>[^\n]*))?\n(?P<code>.*?)^```$", flags=re.MULTILINE | re.DOTALL)
FIRST = """
import warnings

import matplotlib.pyplot

get_ipython().run_line_magic("matplotlib", "inline")
get_ipython().run_line_magic("xmode", "Minimal")  # an error is its last line: no paths of the machine
matplotlib.pyplot.rcParams["figure.dpi"] = 72
warnings.filterwarnings("error", module="__main__|pyneural")
""".strip()


def tags(words: str) -> list[str]:
    """The tags of a block's cell, from the words after `python`."""
    if not words:
        return []
    if words == "hidden":
        return ["remove-cell"]
    if re.fullmatch(r"raises \w+", words):
        return ["raises-exception", words.replace(" ", "-")]
    raise ValueError(f"```python {words}: expected nothing, hidden, shown, or raises and the name of an error")


def read(text: str) -> Any:
    """The notebook of a page."""
    cells = [notebooks.new_code_cell(FIRST, metadata={"tags": ["remove-cell"]})]
    lines, start = [0], 0  # where each cell starts
    for block in BLOCK.finditer(text):
        words = block["words"] or ""
        if words == "shown":
            continue
        for make, source, at, more in (
            (notebooks.new_markdown_cell, text[start : block.start()], start, {}),
            (notebooks.new_code_cell, block["code"].rstrip("\n"), block.start("code"), {"tags": tags(words)}),
        ):
            if source.strip():
                cells.append(make(source, metadata=more))
                lines.append(text.count("\n", 0, at))
        start = block.end()
    if text[start:].strip():
        cells.append(notebooks.new_markdown_cell(text[start:]))
        lines.append(text.count("\n", 0, start))
    page = notebooks.new_notebook(cells=cells)
    page.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    page.metadata["language_info"] = {"name": "python", "pygments_lexer": "ipython3"}
    page.metadata["source_map"] = lines
    if start == 0:  # nothing to execute
        del cells[0], lines[0]
        page.metadata["mystnb"] = {"execution_mode": "off"}
    return page

"""conf.py -- the site, built by Sphinx from docs/ and notebooks/ (`make docs`).

The source folder is the repository's root, so that a link between two files is the same in the site and in a repository
browser.  Examples are executed on the sample in the package, without a network.
"""

import hashlib
import os
import re
import sys
import tempfile
from logging import getLogger
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.errors import ExtensionError
from sphinx.util import logging

DOCS = Path(__file__).parent
ROOT = DOCS.parent
sys.path[:0] = [str(DOCS), str(ROOT)]
os.environ["PYNEURAL_DATA"] = "sample"

import api_names  # noqa: E402 -- found by the lines above

import pyneural as pn  # noqa: E402

logger = logging.getLogger(__name__)
getLogger("traitlets").setLevel("WARNING")  # not a line for each page that is executed

project = "pyneural"
version = release = pn.__version__
author = "the pyneural developers"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
root_doc = "docs/index"
include_patterns = ["docs/**", "notebooks/*", "benchmarks/RESULTS.md", "CHANGELOG.md"]
exclude_patterns = ["build", ".*", "docs/site", "docs/static"]

nb_custom_formats = {".md": "page_cells.read"}
nb_execution_mode = "cache"
nb_execution_show_tb = True  # a block that fails is a warning, and fails the build after the other pages
nb_execution_in_temp = True  # what an example saves goes with its folder
nb_execution_timeout = 120
nb_execution_excludepatterns = ["*.ipynb"]  # committed with their outputs, from real data
nb_merge_streams = True
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4

smartquotes_action = "D"  # dashes; many quotes are Python's

html_theme = "furo"
html_title = f"pyneural {version}"
html_show_copyright = html_show_sphinx = html_show_sourcelink = html_copy_source = False
html_show_search_summary = False  # it would fetch pages, which browsers refuse for files
html_extra_path = ["site"]
html_static_path = ["static"]
html_css_files = ["site.css"]
html_math_renderer = "mathml"
autodoc_typehints = "none"
autodoc_preserve_defaults = True
maximum_signature_line_length = 90
napoleon_use_rtype = False
napoleon_attr_annotations = False
napoleon_custom_sections = [("Attributes", "params_style")]
python_use_unqualified_type_names = True


def _code() -> str:
    """A name for what the package does: outputs of other code are executed again, not taken from the cache."""
    files = [*ROOT.glob("pyneural/**/*.py"), *ROOT.glob("csrc/**/*.*"), DOCS / "page_cells.py"]
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(files))).hexdigest()[:16]


BUILD = ROOT / "build" / "docs"
nb_execution_cache_path = str(BUILD / "cache" / _code())


# Kernels read this configuration instead of the user's own, and do not warn that they listen on this machine.
_profile = BUILD / "ipython" / "profile_default"
_profile.mkdir(parents=True, exist_ok=True)
(_profile / "ipython_kernel_config.py").write_text("c.IPKernelApp.log_level = 40\n", encoding="utf-8")
os.environ["IPYTHONDIR"] = str(_profile.parent)


# ---- formulas as MathML, which browsers draw themselves: no script, no font, no network ------------------------------


def _formula(writer: Any, node: Any) -> None:
    block = isinstance(node, nodes.math_block)
    try:
        formula = tex2mathml(node.astext(), as_block=block)
    except MathError as error:
        logger.warning("formula: %s in %s", error, node.astext(), location=node)
        raise nodes.SkipNode from error
    writer.body.append(f'<div class="math">{formula}</div>' if block else formula)
    raise nodes.SkipNode


# ---- cells ----------------------------------------------------------------------------------------------------------


def _check_failures(app: Any, document: Any) -> None:
    """A block that says `raises X` raises X."""
    for cell in document.findall(nodes.container):
        for name in cell.get("classes", ()):
            if name.startswith("tag_raises-") and name != "tag_raises-exception":
                error = name.removeprefix("tag_raises-")
                if f"\n{error}: " not in "\n" + cell.astext():
                    logger.warning("the block raises no %s", error, location=cell)


# ---- the site as it was written --------------------------------------------------------------------------------------

FETCHED = re.compile(r'<(script|img|iframe|source|video)\b[^>]*\bsrc="(https?:)?//|<link\b[^>]*\bhref="(https?:)?//')
PLACES = {str(ROOT), sys.prefix, str(Path(tempfile.gettempdir(), "tmp"))} - {"/usr"}


def _check_site(app: Any, failure: Exception | None) -> None:
    """A page fetches nothing from the network, and has no path of the machine that built it."""
    faults = []
    for path in [] if failure else Path(app.outdir).rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        faults += [f"{path.name} has the path {place}" for place in PLACES if place in text]
        faults += [f"{path.name} fetches {found[0]}" for found in FETCHED.finditer(text)]
    if faults:
        raise ExtensionError("; ".join(faults))


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("build-finished", _check_site)
    app.add_html_math_renderer("mathml", (_formula, None), (_formula, None))
    app.connect("doctree-read", _check_failures)
    api_names.use_short_name()
    app.add_directive("names", api_names.Names)
    app.connect("autodoc-process-signature", api_names.signature)
    app.connect("autodoc-process-docstring", api_names.to_rst, priority=400)  # before napoleon
    app.connect("doctree-resolved", api_names.link)

"""api_names.py -- the reference: public names with their docstrings, and links to them from inline code.

A page of docs/api/ lists names in a block, each with those of its members that users call (`*`: all that are
documented), or what a value means:

    ```{names}
    pn.fit
    pn.Splits: *
    pn.Model: summary fingerprint
    pn.__version__: the version, a string
    ```
"""

import inspect
import re
import sys
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import make_refnode

import pyneural as pn
from pyneural import _core

MODULES = ("apps", "callbacks", "datasets", "initializers", "losses", "metrics", "ops", "plot", "schedules")
MADE = {
    *(
        "pn.History",
        "pn.LearningRateCurve",
        "pn.LabelPrediction",
        "pn.Node",
        "pn.Prediction",
        "pn.Report",
        "pn.callbacks.Run",
    ),
    *("pn.metrics.Calibration", "pn.metrics.Curve"),
}  # classes whose objects functions return
OPS = "docs/ops"  # the page that tools/make_stubs.py makes of the op table
MARKED = re.compile(r"(`[^`]+`|\bdocs/[\w/-]+\.md|\bpn(?:\.\w+)+(?:\([^()]*\))?)")


def use_short_name() -> None:
    """`pn` is a module for autodoc, so that names are shown, indexed and linked as users write them."""
    sys.modules["pn"] = pn
    for name in MODULES:
        sys.modules[f"pn.{name}"] = getattr(pn, name)


def value_of(name: str) -> Any:
    """The object of a dotted name."""
    value = sys.modules["pn"]
    for part in name.split(".")[1:]:
        value = getattr(value, part)
    return value


def directive(name: str, more: str) -> list[str]:
    """The directive of autodoc for a name, with its members; what is neither class nor function says `more` itself."""
    value = value_of(name)
    if not inspect.isclass(value) and not inspect.isroutine(value):
        return [f".. py:data:: {name}", "", f"   {escaped(more)}"]
    if not inspect.isclass(value):
        return [f".. autofunction:: {name}"]
    lines = [f".. autoclass:: {name}"]
    if more == "*":
        return [*lines, "   :members:"]
    for member in more.split():
        found = inspect.getattr_static(value, member)
        kind = (
            "method" if callable(getattr(value, member)) else "property" if isinstance(found, property) else "attribute"
        )
        lines += ["", f"   .. auto{kind}:: {name}.{member}"]
    return lines


def signature(app: Any, what: str, name: str, value: Any, *arguments: Any) -> tuple[str, None] | None:
    """The arguments of a class are those of its __init__, and of optimizers those of the engine's table."""
    if name in MADE:
        return "", None
    if what != "class" or value is pn.Tensor or not value.__module__.startswith("pyneural."):
        return None
    head = inspect.signature(value.__init__)
    _, *takes = [one.replace(annotation=one.empty) for one in head.parameters.values()]
    if issubclass(value, pn.Optimizer) and value.kind:
        defaults = _core.optimizer_table()[value.kind]["defaults"].items()
        takes[1:] = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default) for name, default in defaults
        ]
    return str(head.replace(parameters=takes, return_annotation=head.empty)), None


class Names(SphinxDirective):
    """The docstrings of names."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """The nodes in place of the block."""
        lines = ["```{eval-rst}"]
        for line in self.content:
            name, _, more = (part.strip() for part in line.partition(":"))
            lines += [*directive(name, more), ""]
        at = nodes.Element()
        source = self.get_source_info()[0]
        self.state.nested_parse(StringList([*lines, "```"], source), self.content_offset, at)
        return at.children


def escaped(text: str) -> str:
    """Plain text of a docstring as reStructuredText: only `code`, names and pages are marked up."""
    parts = MARKED.split(text)
    plain = [re.sub(r"([*|`\\])|_(?=\W|$)", r"\\\g<0>", part) for part in parts[::2]]
    marked = [f":doc:`/{part[:-3]}`" if part.endswith(".md") else f"``{part.strip('`')}``" for part in parts[1::2]]
    plain[1:] = [f"\\ {part}" if part[:1].strip() else part for part in plain[1:]]  # ends the code before it
    return "".join(part for pair in zip(plain, [*marked, ""], strict=True) for part in pair)


def to_rst(app: Any, what: str, name: str, value: Any, options: Any, lines: list[str]) -> None:
    """Our docstrings are plain text with `code` in backticks, sections as in Google's style, and examples."""
    text, made, example = [], [], False
    for line in [*lines, ""]:
        example = bool(line.strip()) and (example or line.lstrip().startswith(">>>"))
        if example or not line.strip():
            made += escaped("\n".join(text)).split("\n") if text else []
            text = []
            made.append(line)
        else:
            text.append(line)
    lines[:] = made


def link(app: Any, document: nodes.document, page: str) -> None:
    """Inline code that is a name of the reference links to it."""
    objects = app.env.domains["py"].objects
    for code in list(document.findall(nodes.literal)):
        name = re.match(r"pn(\.\w+)+", code.astext())
        if not name or isinstance(code.parent, nodes.reference | nodes.title):
            continue
        found = objects.get(name[0])
        op = name[0].removeprefix("pn.ops.")
        if found:
            target = (found.docname, found.node_id)
        elif name[0] != op and op in pn.ops.__all__:
            target = (OPS, op.replace("_", "-"))
        else:
            continue
        code.replace_self(make_refnode(app.builder, page, *target, code.deepcopy(), name[0]))

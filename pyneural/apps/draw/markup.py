"""markup.py -- the page's HTML, for the server's page and for the one without a server.

The template has parts for one of the two, between <!--served--> and <!--/served--> or <!--alone--> and <!--/alone-->,
and names in double braces, which are replaced.
"""

import re
from importlib.resources import files

FOLDER = "pyneural.apps.draw"


def filled(kind: str, values: dict[str, str]) -> str:
    """The page of a kind, "served" or "alone", with its values."""
    other = {"served": "alone", "alone": "served"}[kind]
    text = text_of("templates/page.html")
    text = re.sub(rf"<!--{other}-->.*?<!--/{other}-->\n?", "", text, flags=re.DOTALL)
    text = re.sub(rf"<!--/?{kind}-->\n?", "", text)
    return re.sub(r"\{\{(\w+)\}\}", lambda name: values[name[1]], text)


def text_of(name: str) -> str:
    """The text of a file of the page."""
    return files(FOLDER).joinpath(name).read_text("utf-8")

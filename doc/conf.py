"""How the documentation is built: ``sphinx-build -W -b html doc DIRECTORY``."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import fishchat  # noqa: E402

project = "FishChat"
author = "The FishChat authors"
copyright = "The FishChat authors"
version = release = fishchat.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["_build"]
source_suffix = {".md": "markdown"}
myst_heading_anchors = 3
html_theme = "alabaster"
html_theme_options = {"description": "An instant-messaging server that loses nothing", "page_width": "1080px"}
html_show_sphinx = False
autodoc_member_order = "bysource"
autodoc_typehints = "signature"


class ModuleMap(SphinxDirective):
    """The first paragraph of every module, by package: the modules themselves say what they are for."""

    def run(self) -> list[nodes.Node]:
        """Definition lists, one for each package."""
        found: list[nodes.Node] = []
        package = ""
        for path in sorted((ROOT / "fishchat").rglob("*.py"), key=lambda one: (one.parent, one.name)):
            text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
            name = str(path.relative_to(ROOT))
            if text is None or "/test/" in name:
                continue
            if str(path.parent) != package:
                package = str(path.parent)
                found.append(nodes.definition_list())
            term = nodes.term("", "", nodes.literal(text=name))
            first = text.split("\n\n")[0].replace("\n", " ").replace("``", "")
            told = nodes.definition("", nodes.paragraph(text=first))
            found[-1] += nodes.definition_list_item("", term, told)
        return found


#: The pages beside ``doc/``, and where their links lead from ``doc/_top/``.
TOP = ("README.md", "README.zh.md", "SECURITY.md")
LINKS = {"](doc/": "](../", "](LICENSE)": "](https://www.apache.org/licenses/LICENSE-2.0)"}


def copy_pages(app: Sphinx) -> None:
    """Copy the pages beside ``doc/`` into it, because Sphinx reads no others."""
    place = ROOT / "doc" / "_top"
    place.mkdir(exist_ok=True)
    for name in TOP:
        text = (ROOT / name).read_text(encoding="utf-8")
        for old, new in LINKS.items():
            text = text.replace(old, new)
        (place / name).write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.add_directive("module-map", ModuleMap)
    app.connect("builder-inited", copy_pages)

"""Sphinx's settings for the site; ``python docs/build_site.py`` builds it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent
sys.path[:0] = [str(DOCS.parent), str(DOCS)]

import editions  # noqa: E402
import inventories  # noqa: E402
from docstrings import as_restructured_text  # noqa: E402
from formulas import visit_formula  # noqa: E402
from sphinx.application import Sphinx  # noqa: E402
from sphinx.config import Config  # noqa: E402

project = "chainrule"
author = "the authors of chainrule"
html_title = "chainrule"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.intersphinx", "sphinx.ext.napoleon"]
root_doc = "index"

# --- pages in Markdown, and the notebooks with the outputs that they store
source_suffix = {".rst": "restructuredtext", ".md": "myst-nb", ".ipynb": "myst-nb"}
myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence", "attrs_inline", "attrs_block"]
myst_heading_anchors = 4
myst_heading_slug_func = "editions.slug"
myst_url_schemes = {"http": None, "https": None, "mailto": None, "site": "{{path}}"}  # site: the other edition's pages
nb_execution_mode = "off"
nb_merge_streams = True
html_math_renderer = "mathml"

# --- the reference
default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True, "show-inheritance": False}
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True
# Every name in a signature and every reference must lead somewhere, but for these, which have no entry of their own:
nitpick_ignore_regex = [
    # types of what ours take and give, which stand in the file that is named
    (r"py:(class|obj)", r"autograd\.signatures\.\w+"),
    (r"py:class", "Gradient|GradientBySecond|Curvature|Rows|ValueAndGradient"),  # the same, of what is wrapped
    (r"py:(class|obj)", r"nn\.(data\.(Examples|Targets)|optim\.Options|recurrent\.S|layers\.Out)"),
    (r"py:(class|obj)", r"nn\.training\.minimisation\.X"),
    (r"py:class", r"nn\.lessons\.(words\.(Token|WordVectors)|perceptrons\.Correction|language\.LanguageModel)"),
    (r"py:class", r"viz\.(picture\.Picture|derivation\.Path|sheets\.Key)|types\.EllipsisType"),
    (r"py:class", r"viz\.live\.(page\.LivePage|stage\.Backdrop|player\.Frame)"),
    # what a public class is derived from, and what nobody calls by itself
    (r"py:class", r"(autograd|nn|viz)\.([a-z_]+\.)+_[A-Z]\w+"),
    (r"py:class", r"(autograd\.elsewhere\.LikeATensor|nn\.elsewhere\.LikeANetwork|viz\.mistakes\.Taught)"),
    # names that are imported for type checkers alone, so that Sphinx sees the last word of them
    (r"py:class", r"Answers?|Array|Axes|Compiled|Figure|NDArray|Numbers|Operand|Plain|Sentence|graphviz\.Digraph"),
    # where a docstring begins "β₀: ..." the word before the colon is taken for a type
    (r"py:class", r"β₀|β₁ … βₙ|steps|epoch"),
]
intersphinx_mapping = inventories.mapping()

# --- what pages lead to elsewhere: build_site.py --links
linkcheck_timeout = 20  # seconds
linkcheck_retries = 2
linkcheck_ignore = ["http://localhost:8000"]  # the reader's own

# --- how it looks; nothing is fetched from another host
html_theme = "pydata_sphinx_theme"
templates_path = [str(DOCS / "templates")]
html_static_path = [str(DOCS / "static")]
html_css_files = ["chainrule.css"]
html_favicon = str(DOCS / "static" / "favicon.svg")
html_js_files = ["theme.js"]
html_context = {"default_mode": "auto"}
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "logo": {"text": "chainrule"},
    "navbar_align": "left",
    "navbar_persistent": ["editions", "search-button"],
    "navbar_end": ["theme-switcher"],
    "header_links_before_dropdown": 8,
    "secondary_sidebar_items": ["page-toc"],
    "show_prev_next": True,
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
# a page that has no others beside it needs no list of them
ALONE = "index readme gallery sheet live playground teaching compile from-micrograd-to-pytorch"
html_sidebars = {page: [] for page in ALONE.split()}


def be_this_edition(app: Sphinx, config: Config) -> None:
    said = editions.read(Path(app.srcdir))
    config.copyright = said["copyright"]
    config.html_theme_options |= {"search_bar_text": said["search"], "header_dropdown_text": said["more"]}
    if not (Path(app.srcdir) / "api").is_dir():  # the reference is in English alone
        config.html_sidebars["reference"] = []


def tell_of_the_other_edition(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Who reads a page, and who searches for it, hears that it stands in another language, too."""
    context["editions"] = editions.of_page(page)


def setup(app: Sphinx) -> None:
    app.connect("config-inited", be_this_edition, priority=100)
    app.connect("html-page-context", tell_of_the_other_edition, priority=100)  # the theme drops what is empty
    app.add_search_language(editions.Chinese)
    app.add_html_math_renderer("mathml", (visit_formula, None), (visit_formula, None))
    app.connect("autodoc-process-docstring", as_restructured_text, priority=400)  # before napoleon, which has 500

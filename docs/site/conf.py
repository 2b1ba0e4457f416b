"""How the documentation becomes a site: `make docs`. Pages stay where they are; the tree is in this folder.

The source folder is the whole project, so that links from `docs/` to `papers/` and to files of the package lead
somewhere. `include_patterns` says which pages belong to the site.
"""

import inspect
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT), str(HERE)]

import command_line  # noqa: E402  beside this file
import keys  # noqa: E402
import prose  # noqa: E402

import folkmoot  # noqa: E402
from folkmoot.configuration import Configuration  # noqa: E402

project = "Folkmoot"
author = "The Folkmoot authors"
version = release = folkmoot.__version__
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]

root_doc = "docs/site/index"
include_patterns = [
    "docs/**.md",
    "docs/*.ipynb",
    "docs/site/python/*.rst",
    "papers/*/README.md",
    "contracts/README.md",
    "benchmarks/README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
]
exclude_patterns = [".venv", "docs/_build", "results", "tests", "folkmoot"]

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4
nb_execution_mode = "force"  # the notebook, not the pages
nb_execution_raise_on_error = True
nb_execution_timeout = 600
suppress_warnings = ["myst.header", "ref.python"]  # a list deep in a page; a name that several classes have

autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_inherit_docstrings = False
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True  # an attribute that a docstring names, and a property, are one thing
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
toc_object_entries_show_parents = "hide"
default_role = "literal"

html_theme = "pydata_sphinx_theme"
html_title = f"Folkmoot {version}"
html_theme_options = {
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "navbar_persistent": ["search-button"],
    "show_toc_level": 2,
    "show_nav_level": 1,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": ["sphinx-version"],
    "logo": {"text": f"Folkmoot {version}"},
    "header_links_before_dropdown": 8,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
html_static_path = ["static"]
html_css_files = ["site.css"]
html_extra_path = ["front"]  # an index.html that leads to the first page
html_show_sourcelink = False
copyright = "the Folkmoot authors, Apache-2.0"


def _signature(app, what, name, thing, options, signature, returned):
    """Of a class its arguments and defaults; what each may be stands below it."""
    if what not in {"class", "exception"} or not inspect.isclass(thing):
        return None
    if issubclass(thing, Configuration) and "__init__" not in vars(thing):
        fields = [(field.alias or key, field) for key, field in thing.model_fields.items()]
        said = [key if field.is_required() else f"{key}={keys.default(field, 'python')}" for key, field in fields]
        return f"(*, {', '.join(said)})" if said else "()", None
    try:
        found = inspect.signature(thing)
    except (TypeError, ValueError):
        return None
    plain = [one.replace(annotation=inspect.Parameter.empty) for one in found.parameters.values()]
    return str(found.replace(parameters=plain, return_annotation=inspect.Signature.empty)), None


def _docstring(app, what, name, thing, options, lines):
    lines[:] = [prose.as_rst(line) for line in lines]


def _skip(app, what, name, thing, skip, options):
    """What pydantic and the compiler make of a class is not ours to explain."""
    return True if name.startswith(("model_", "record", "_")) or name in {"params", "label"} else None


def _source(app, page, source):
    source[0] = command_line.filled(keys.filled(source[0]))


def setup(app):
    """Sphinx calls it."""
    app.connect("autodoc-process-signature", _signature)
    app.connect("autodoc-process-docstring", _docstring, priority=400)  # before napoleon
    app.connect("autodoc-skip-member", _skip)
    app.connect("source-read", _source)

"""The parts a report page is made of: escaped text, tables, figures, the sheet of styles.

A page needs no network and no script. Its own content policy forbids the first, and of scripts all but the one that it
may hold: see `live`.
"""

import base64
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DRAWN: "WeakKeyDictionary[Figure, bytes]" = WeakKeyDictionary()
_COMPRESSED = 4  # of 9: with 6, which is usual, a figure is half a percent smaller and takes a fifth longer to write
_LONG = 20  # characters of a word that may break in the head of a table
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"

_STYLE = """
:root { color-scheme: light dark; --ink: #1a1a1a; --soft: #595959; --line: #b8b8b8; --faint: #e4e4e4; --grid: #ddd;
  --ground: #fff; }
@media screen and (prefers-color-scheme: dark) {
  :root { --ink: #e9e9e9; --soft: #b4b4b4; --line: #666; --faint: #3a3a3a; --grid: #444; --ground: #17181a; }
  figure img { background: #fff; padding: .4rem; border-radius: .3rem; }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; padding: 2.5rem 1.25rem 4rem; max-width: 50rem; color: var(--ink);
  background: var(--ground);
  font: 1.0625rem/1.55 Charter, "Bitstream Charter", "Sitka Text", Cambria, "Liberation Serif", Georgia, serif;
  font-variant-numeric: lining-nums; overflow-wrap: break-word; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 1rem; text-wrap: balance; }
h2 { font-size: 1.25rem; line-height: 1.3; margin: 2.6rem 0 .6rem; break-after: avoid; }
p { margin: .6rem 0; }
.answer { font-size: 1.2rem; line-height: 1.5; margin: 1rem 0; padding: .1rem 0 .1rem 1rem;
  border-left: 3px solid var(--ink); }
.warning { margin: .8rem 0; padding: .1rem 0 .1rem 1rem; border-left: 3px double var(--soft); }
figure { margin: 1.2rem 0 1.8rem; break-inside: avoid; }
figure img { display: block; width: 100%; height: auto; }
figcaption { font-size: .9rem; line-height: 1.45; color: var(--soft); }
figcaption { margin-top: .5rem; }
.table figcaption { margin: 0 0 .5rem; } .table .wide { margin: 0; }
figcaption b { color: var(--ink); }
.wide { overflow-x: auto; margin: 1.2rem 0 1.6rem; break-inside: avoid; }
table { border-collapse: collapse; width: 100%; font-size: .95rem; line-height: 1.4;
  border-bottom: 1.5px solid var(--ink); font-variant-numeric: lining-nums tabular-nums; }
thead th { border-top: 1.5px solid var(--ink); border-bottom: 1px solid var(--ink);
  vertical-align: bottom; font-weight: 600; }
th, td { padding: .34rem .55rem; text-align: right; vertical-align: baseline; }
th:first-child, td:first-child { padding-left: 0; } th:last-child, td:last-child { padding-right: 0; }
tbody tr + tr > * { border-top: 1px solid var(--faint); }
tbody th { font-weight: 400; min-width: 7rem; overflow-wrap: anywhere; }
thead th.long { overflow-wrap: anywhere; min-width: 7rem; }
th.left, td.left { text-align: left; }
td.whole, th.whole { white-space: nowrap; }
.settings th { width: 11rem; color: var(--soft); } .settings { border-top: 1.5px solid var(--ink); }
details { margin: .8rem 0; } summary { cursor: pointer; }
pre { font: .8rem/1.45 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; white-space: pre-wrap;
  overflow-wrap: anywhere; max-height: 32rem; overflow: auto; border: 1px solid var(--line);
  padding: .75rem; margin: .6rem 0; }
ul { padding-left: 1.2rem; margin: .6rem 0; } li { margin: .25rem 0; }
@media (max-width: 40rem) { figure .plot { overflow-x: auto; } figure .plot img { width: 36rem; max-width: none; } }
@media print {
  @page { margin: 18mm 16mm; }
  :root { --ink: #000; --soft: #333; --line: #888; }
  body { max-width: none; padding: 0; font-size: 10.5pt; }
  .wide { overflow: visible; } pre { max-height: none; border-color: #888; }
  details:not([open]) { display: none; }
}
"""


class Live(NamedTuple):
    """What a page needs to be moved in.

    Attributes:
        policy: of the page: which script runs, and no other.
        style: more for its sheet of styles.
        section: the markup of the section.
        script: markup for the end of the page.
    """

    policy: str
    style: str
    section: str
    script: str


def page(title: str, body: Sequence[str], live: Live | None = None) -> str:
    """A whole document; the title is escaped, the body is markup already, the section of `live` among it."""
    policy, style, script = (live.policy, _STYLE + live.style, live.script) if live else (POLICY, _STYLE, "")
    head = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<link rel="icon" href="data:,">',
        f"<title>{escape(title)}</title>",
        f"<style>{style}</style>",
        "</head>",
        "<body>",
        f"<h1>{escape(title)}</h1>",
    ]
    return "\n".join([*head, *(part for part in body if part), *([script] if script else []), "</body>", "</html>", ""])


def section(heading: str, *parts: str) -> str:
    """A heading with what stands below it; empty if nothing does."""
    content = [part for part in parts if part]
    return "\n".join(["<section>", f"<h2>{escape(heading)}</h2>", *content, "</section>"]) if content else ""


def paragraph(text: str, css: str = "") -> str:
    """Plain text as a paragraph; empty if there is none."""
    return f"<p{_class(css)}>{escape(text)}</p>" if text else ""


def paragraphs(text: str) -> str:
    """Plain text whose paragraphs are divided by empty lines."""
    return "\n".join(paragraph(" ".join(part.split())) for part in text.split("\n\n") if part.strip())


def bullets(items: Sequence[str]) -> str:
    """Plain texts as a list; empty if there are none."""
    lines = "\n".join(f"<li>{escape(item)}</li>" for item in items)
    return f"<ul>\n{lines}\n</ul>" if items else ""


def _class(css: str) -> str:
    return f' class="{css}"' if css else ""


class Bold(str):
    """The text of a table cell that is to stand out."""


def table(caption: str, header: Sequence[str], rows: Sequence[Sequence[str]], left: Sequence[int] = (0,)) -> str:
    """A ruled table of plain texts; its first column names the rows.

    Args:
        caption: "Table 1. What it shows": what stands before the first full stop is set bold.
        header: one text a column.
        rows: texts; a `Bold` is set bold.
        left: columns of words, set flush left; numbers are set flush right and never broken.
    """

    def cell(tag: str, column: int, text: str, attributes: str = "") -> str:
        css = "left" if column in left else "whole" if tag == "td" else ""
        if any(len(word) > _LONG for word in text.split()):
            css = f"{css} long".strip()
        content = f"<strong>{escape(text)}</strong>" if isinstance(text, Bold) else escape(text)
        return f"<{tag}{attributes}{_class(css)}>{content}</{tag}>"

    head = "".join(cell("th", n, text, ' scope="col"') for n, text in enumerate(header))
    lines = []
    for row in rows:
        cells = [cell("td" if n else "th", n, text, "" if n else ' scope="row"') for n, text in enumerate(row)]
        lines.append(f"<tr>{''.join(cells)}</tr>")
    start = f'<figure class="table">\n<figcaption>{_captioned(caption)}</figcaption>\n<div class="wide"><table>'
    end = "</tbody>\n</table></div>\n</figure>"
    return "\n".join([start, f"<thead><tr>{head}</tr></thead>", "<tbody>", *lines, end])


def settings(rows: Sequence[tuple[str, str]]) -> str:
    """A table of names and values in words."""
    lines = [
        f'<tr><th scope="row" class="left">{escape(name)}</th><td class="left">{escape(value)}</td></tr>'
        for name, value in rows
    ]
    return "\n".join(['<div class="wide"><table class="settings"><tbody>', *lines, "</tbody></table></div>"])


def figure(drawing: "Figure", caption: str, alternative: str) -> str:
    """A figure as an embedded SVG with its caption and a text for those who cannot see it."""
    data = base64.b64encode(svg_bytes(drawing)).decode()
    image = f'<div class="plot"><img src="data:image/svg+xml;base64,{data}" alt="{escape(alternative)}"></div>'
    return f"<figure>\n{image}\n<figcaption>{_captioned(caption)}</figcaption>\n</figure>"


def figure_of_markup(markup: str, caption: str) -> str:
    """A figure that is markup already, with its caption."""
    return f"<figure>\n{markup}\n<figcaption>{_captioned(caption)}</figcaption>\n</figure>"


def _captioned(text: str) -> str:
    label, stop, rest = text.partition(". ")
    return f"<b>{escape(label)}.</b> {escape(rest)}" if stop else escape(text)


def collapsed(summary: str, content: str) -> str:
    """Preformatted text that opens on a click."""
    return f"<details>\n<summary>{escape(summary)}</summary>\n<pre>{escape(content)}</pre>\n</details>"


def as_json(value: Any, indent: str = "") -> str:
    """JSON with one line an entry of a mapping, and lists on a line of their own however long."""
    if isinstance(value, Mapping) and value:
        inner = indent + "  "
        entries = [f"{inner}{json.dumps(str(key))}: {as_json(item, inner)}" for key, item in value.items()]
        return "{\n" + ",\n".join(entries) + f"\n{indent}}}"
    return json.dumps(value, ensure_ascii=False, default=str)


# --- Figures as bytes -----------------------------------------------------------------------------------


@contextmanager
def fixed_style() -> Iterator[None]:
    """Draw within this, so that a figure does not depend on the user's settings; they are put back."""
    import matplotlib  # here: most of a page is text, and to load what draws takes long

    usual = {key: value for key, value in matplotlib.rcParamsDefault.items() if not key.startswith("backend")}
    with matplotlib.rc_context({**usual, "svg.hashsalt": "folkmoot", "svg.fonttype": "path", "font.size": 10.0}):
        yield


def svg_bytes(drawing: "Figure") -> bytes:
    """The figure as SVG without a date: the same figure gives the same bytes.

    It is drawn once: later calls give the same bytes, and PNG has the same layout. To find a layout takes half of the
    time of a drawing, and `Figure.savefig` draws everything once more before it writes.
    """
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    if drawing not in _DRAWN:
        buffer = io.BytesIO()
        with fixed_style():
            canvas: Any = FigureCanvasSVG(drawing)
            canvas.print_svg(buffer, metadata={"Date": None, "Creator": None})
        drawing.set_layout_engine("none")
        _DRAWN[drawing] = buffer.getvalue()
    return _DRAWN[drawing]


def png_bytes(drawing: "Figure", dpi: int = 150) -> bytes:
    """The figure as PNG without the name of the program that drew it."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    buffer = io.BytesIO()
    with fixed_style():
        drawing.set_dpi(dpi)
        canvas: Any = FigureCanvasAgg(drawing)
        canvas.print_png(buffer, metadata={"Software": None}, pil_kwargs={"compress_level": _COMPRESSED})
    return buffer.getvalue()

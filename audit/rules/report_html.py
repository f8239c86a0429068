"""The report as one static page: no script, nothing from elsewhere, readable on paper too."""

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from audit.rules.report import NO_APPROVALS, Approvals, Line, Report, Shown, Table

_STYLE = """
:root{color-scheme:light}
body{font:14px/1.45 system-ui,"Segoe UI",Roboto,"Noto Sans",sans-serif;color:#15202b;
 margin:0 auto;padding:28px 22px;max-width:1080px}
h1{font-size:24px;margin:0 0 4px}
h2{font-size:18px;margin:34px 0 8px}
h3{font-size:15px;margin:22px 0 6px}
p{margin:6px 0}
.q{color:#44505e}
.n{border-left:3px solid #0a5ca8;background:#e6f0fa;padding:8px 12px;margin:10px 0}
.m{font-family:ui-monospace,Consolas,monospace;font-size:12px}
.b{color:#b0241c;font-weight:600}
table{border-collapse:collapse;width:100%;margin:8px 0;font-size:13px}
th{text-align:left;font-weight:600;color:#44505e}
th,td{padding:5px 8px 5px 0;border-bottom:1px solid #dde2e8;vertical-align:top}
p,.m,.l td:last-child{overflow-wrap:anywhere}
.w{overflow-x:auto}
td.r,th.r{text-align:right;font-variant-numeric:tabular-nums}
dl{display:grid;grid-template-columns:minmax(150px,auto) 1fr;gap:3px 14px;margin:8px 0}
dt{color:#44505e}
dd{margin:0;overflow-wrap:anywhere;white-space:pre-wrap}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#eef1f4;padding:8px;font-size:12px}
nav a{margin-right:14px}
a{color:#0a5ca8}
.l th:first-child{text-align:right}
@media (min-width:700px),print{th,td:first-child{white-space:nowrap}.w td{overflow-wrap:anywhere}}
@media screen and (max-width:699px){dl{grid-template-columns:1fr}dt{margin-top:6px}
 .l thead{display:none}.l,.l tbody,.l tr,.l td{display:block}.l tr{border-bottom:1px solid #dde2e8}
 .l td{border:0;padding:2px 0;overflow-wrap:anywhere}.l td:empty{display:none}
 .l td.r{text-align:left}.l td::before{color:#44505e}
LABELS}
@media print{nav{display:none}body{max-width:none;padding:0}h2{break-after:avoid}}
"""
_STEPS = ("Entry", "Recorded", "Who", "What", "About", "Note", "Details")
# On a phone an entry is a card; its cells say themselves what they are.
_LABELS = "".join(
    f' .l td:nth-child({place})::before{{content:"{word} "}}\n'
    for place, word in enumerate(_STEPS, start=1)
)
_HEAD = (
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\';'
    " style-src 'unsafe-inline'\">"
    '<meta name="viewport" content="width=device-width,initial-scale=1">'
)


def html_report(report: Report) -> Iterator[str]:
    """Yield the page in pieces."""
    style = _STYLE.replace("LABELS", _LABELS)
    yield f"{_HEAD}<title>{escape(report.title)}</title><style>{style}</style></head><body>\n"
    yield f"<h1>{escape(report.title)}</h1>\n"
    yield f"<nav>{''.join(_links(report))}</nav>\n"
    yield _facts(report.facts)
    yield from (f'<p class="n">{escape(text)}</p>\n' for text in (*report.statement, *report.cut))
    yield from _counts(report)
    yield from _approvals(report.approvals)
    for number, table in enumerate(report.tables):
        yield from _table(table, f"t{number}")
    yield f'<h2 id="entries">Entries</h2>\n<p class="q">{escape(report.entries_note)}</p>\n'
    yield from _lines(report.entries)
    yield "</body></html>\n"


def _links(report: Report) -> Iterator[str]:
    yield '<a href="#counts">Counts</a><a href="#approvals">Approvals</a>'
    for number, table in enumerate(report.tables):
        yield f'<a href="#t{number}">{escape(table.title)}</a>'
    yield '<a href="#entries">Entries</a>'


def _facts(facts: Iterable[tuple[str, str]]) -> str:
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts)
    return f"<dl>{rows}</dl>\n"


def _counts(report: Report) -> Iterator[str]:
    yield '<h2 id="counts">What was done, counted</h2>\n<div class="w"><table><thead><tr>'
    yield "<th>Operation</th><th>In words</th>"
    yield "".join(f'<th class="r">{word}</th>' for word in ("Done", "Refused", "Failed", "All"))
    yield "</tr></thead><tbody>\n"
    for one in report.counts:
        numbers = (one.ok, one.denied, one.failed, one.ok + one.denied + one.failed)
        yield f'<tr><td class="m">{escape(one.op)}</td><td>{escape(one.did)}</td>'
        yield "".join(f'<td class="r">{number:,}</td>' for number in numbers) + "</tr>\n"
    yield "</tbody></table></div>\n"


def _approvals(approvals: Sequence[Approvals]) -> Iterator[str]:
    yield '<h2 id="approvals">Who approved what</h2>\n'
    if not approvals:
        yield f'<p class="q">{NO_APPROVALS}</p>\n'
    for one in approvals:
        name = f'{escape(one.title)} <span class="m q">{escape(one.id)}</span>'
        yield f"<h3>{escape(one.kind.capitalize())} {name}</h3>\n<p>{escape(one.verdict)}</p>\n"
        yield from _lines(one.steps)
        for version in one.versions:
            yield _version(version)


def _version(version: Shown) -> str:
    text = f'<p class="q">{escape(version.title)}</p>{_facts(version.facts)}'
    if version.digest:
        text += (
            f'<p class="q">Digest <span class="m">{version.digest}</span>, the SHA-256 of'
            f' <span class="m">{escape(version.file)}</span>, which says:</p>'
            f"<pre>{escape(version.exact)}</pre>\n"
        )
    return text


def _table(table: Table, anchor: str) -> Iterator[str]:
    yield f'<h2 id="{anchor}">{escape(table.title)}</h2>\n<p class="q">{escape(table.note)}</p>\n'
    if not table.rows:
        yield f"<p>{escape(table.empty)}</p>\n"
        return
    heads = "".join(f"<th>{escape(head)}</th>" for head in table.heads)
    yield f'<div class="w"><table><thead><tr>{heads}</tr></thead><tbody>\n'
    for row in table.rows:
        yield f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>\n"
    yield "</tbody></table></div>\n"


def _lines(lines: Sequence[Line]) -> Iterator[str]:
    if not lines:
        return
    heads = "".join(f"<th>{head}</th>" for head in _STEPS)
    yield f'<table class="l"><thead><tr>{heads}</tr></thead><tbody>\n'
    for line in lines:
        mark = ' class="b"' if line.is_refused else ""
        cells = (line.who, line.about, line.why, line.details)
        who, about, why, details = map(escape, cells)
        yield (
            f'<tr><td class="r">{line.seq}</td><td>{escape(line.at)}</td><td>{who}</td>'
            f"<td{mark}>{escape(line.what)}</td><td>{about}</td><td>{why}</td>"
            f"<td>{details}</td></tr>\n"
        )
    yield "</tbody></table>\n"

"""The two pages of a chain, drawn for a workspace or for the platform."""

from dataclasses import dataclass
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from audit.forms.filter import FilterForm
from audit.queries.about import about
from audit.queries.entries import Page, entry_of, page
from audit.queries.kept import kept
from audit.queries.status import chain_status
from audit.rules.canonical import stamp
from audit.rules.shown import visible
from audit.views.held import held
from audit.views.lines import Line, lines


@dataclass(frozen=True)
class Chain:
    """A chain and where its pages are; `slug` and `name` are empty for the system chain.

    `may_erase` and `may_export` say whether the reader may erase personal values, or take evidence
    away; of the system chain nothing is exported by itself.
    """

    ws: UUID
    zone: ZoneInfo
    slug: str = ""
    name: str = ""
    may_erase: bool = False
    may_export: bool = False

    @property
    def url(self) -> str:
        """Return the address of the entries."""
        if self.slug:
            return reverse("audit:list", kwargs={"workspace": self.slug})
        return reverse("platform:audit")

    def url_of(self, line: Line) -> str:
        """Return the address of one entry."""
        return f"{self.url}{line.row.eid}/"


def show_entries(request: HttpRequest, chain: Chain) -> HttpResponse:
    """Draw the entries; a filter that makes no sense shows its faults and no entries."""
    form = FilterForm(request.GET)
    found = Page()
    if form.is_valid():
        wanted = form.wanted(chain.zone)
        found = page(chain.ws, before=form.cleaned_data["before"], wanted=wanted)
    shown, now = lines(found.rows, chain.zone), timezone.now()
    return render(
        request,
        "audit/entries.html",
        {
            "chain": chain,
            "status": chain_status(chain.ws, now=now),
            "held": held(now=now),
            "lines": [(line, chain.url_of(line)) for line in shown],
            "form": form,
            "is_filtered": any(request.GET.get(name) for name in form.fields),
            "evidence": _evidence(chain, form) if chain.may_export else "",
            "older": form.address(before=found.before) if found.before else "",
            "newest": form.address() if request.GET.get("before") else "",
        },
    )


def _evidence(chain: Chain, form: FilterForm) -> str:
    """Return the address of the evidence form, filled in with what the reader is looking at."""
    said = form.cleaned_data if form.is_valid() else {}
    sought = said.get("q") or ""
    wish = {
        "about": sought if sought and about(chain.ws, sought) else "",
        "since": said.get("since"),
        "until": said.get("until"),
    }
    return address_of_form(chain.slug, **{name: str(one) for name, one in wish.items() if one})


def address_of_form(slug: str, **wish: str) -> str:
    """Return the address of a workspace's evidence form that is filled in with a wish."""
    query = f"?{urlencode(wish)}" if wish else ""
    return f"{reverse('evidence:list', kwargs={'workspace': slug})}{query}#ask"


def show_entry(request: HttpRequest, chain: Chain, eid: UUID) -> HttpResponse:
    """Draw one entry; raise Http404 for one of another chain."""
    row = entry_of(chain.ws, eid)
    if row is None:
        raise Http404
    [line] = lines([row], chain.zone)
    return render(
        request,
        "audit/entry.html",
        {
            "chain": chain,
            "line": line,
            "row": row,
            "raw": visible(row.body),
            "kept": kept(chain.ws, eid) if row.personal else [],
            "status": chain_status(chain.ws, now=timezone.now()),
            "at_text": stamp(row.at),
            "evidence": address_of_form(chain.slug, about=row.obj.id) if chain.may_export else "",
        },
    )

"""The product's addresses and some more: pages that break or refuse, and one with every part.

The last needs no database: its reader and his workspace are never stored.
"""

from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.views import View

from message_center import urls
from workspaces.models import Person, User, Workspace
from workspaces.queries.me import Me
from workspaces.rules.permissions import PERMISSIONS, Role

handler400, handler403 = urls.handler400, urls.handler403
handler404, handler500 = urls.handler404, urls.handler500
BEGIN = 1_795_150_800
COUNTS = {
    "delivered": 250_902,
    "submitted": 16_318,
    "undelivered": 3_127,
    "refused": 1_806,
    "unknown": 12,
    "deferred": 640,
    "sending": 24,
    "suppressed": 214,
    "queued": 213_077,
}


class Breaks(View):
    """A view with a fault in it."""

    permission = "public"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Raise what nobody expects."""
        raise KeyError("447700900123")


class Suspects(View):
    """A view that finds the request malformed."""

    permission = "public"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Refuse it as Django's own parts do."""
        raise SuspiciousOperation("no")


class Form(forms.Form):
    """One of each control."""

    name = forms.CharField(label="Name on the phone", help_text="At most eleven letters.")
    category = forms.ChoiceField(label="Used for", choices=[("o", "Offers"), ("s", "Service")])
    note = forms.CharField(
        label="Note to the moderators", required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    shape = forms.ChoiceField(
        label="Shape", choices=[("e", "Even"), ("s", "Slow start")], widget=forms.RadioSelect
    )
    days = forms.MultipleChoiceField(
        label="Days",
        choices=[("mo", "Monday"), ("tu", "Tuesday")],
        widget=forms.CheckboxSelectMultiple,
        help_text="One at least.",
    )
    sure = forms.BooleanField(label="They should get it again")


def chart(*, rate: float = 69.2) -> dict[str, Any]:
    """Data in the form that charts.js reads."""
    seconds = [BEGIN + 60 * minute for minute in range(120)]
    sent = [rate if minute < 68 else None for minute in range(120)]
    return {
        "data": [seconds, sent, [69.2] * 120],
        "ymax": 110,
        "series": [
            {"label": "Sent", "color": "d-wait", "fill": 1, "alpha": "55", "width": 1.6},
            {"label": "Plan", "color": "d-plan", "dash": [6, 4]},
        ],
        "h": [{"y": 86.5, "label": "Limit 86.5/s", "color": "ink-3", "dash": [2, 3]}],
        "v": [{"x": BEGIN + 68 * 60, "label": "Now", "color": "accent"}],
        "shade": [[BEGIN + 100 * 60, BEGIN + 119 * 60, "sunken"]],
    }


def reader(request: HttpRequest) -> Me:
    """An admin of a workspace in Tashkent; below /platform/ a super admin outside of one."""
    person = Person(name="Malika Yusupova")
    is_root = request.path.startswith("/platform/")
    user = User(pk=1, person=person, email="malika@example.com", is_super_admin=is_root)
    user.theme = request.GET.get("theme", "system")
    user.has_shortcuts = "quiet" not in request.GET
    place = Workspace(pk=1, slug="care", name="Subscriber care", zone="Asia/Tashkent")
    role = Role.SUPER_ADMIN if is_root else Role.ADMIN
    return Me(
        user=user,
        workspace=None if is_root else place,
        role=role,
        permissions=PERMISSIONS[role],
        places=(place, Workspace(pk=2, slug="roaming", name="Roaming", zone="Europe/London")),
    )


class Reference(View):
    """Every part of our pages, with what it looks like when something is wrong."""

    permission = "public"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Draw it, for the reader that the address asks for."""
        request.me = reader(request)  # type: ignore[attr-defined]
        now = timezone.now()
        values = {
            "form": Form({}),
            "counts": COUNTS,
            "total": sum(COUNTS.values()),
            "states": ("draft", "in_review", "approved", "sending", "held", "completed", "unknown"),
            "soon": now + timedelta(minutes=51),
            "chart": chart(),
        }
        return render(request, "reference.html", values)


class Live(View):
    """The part of the reference page that renews itself, with a number that grows."""

    permission = "public"
    count = 0

    def get(self, request: HttpRequest) -> HttpResponse:
        """The next figure; 503 while the tests hold the server down."""
        if is_down.seen:
            return HttpResponse(status=503)
        Live.count += 1
        said = "50 % is sent" if Live.count > 1 else "25 % is sent"
        return render(request, "live.html", {"n": Live.count, "said": said})


class ChartData(View):
    """New points for the chart."""

    permission = "public"
    count = 0

    def get(self, request: HttpRequest) -> HttpResponse:
        """The same chart at a lower rate, another one each time."""
        ChartData.count += 1
        return JsonResponse(chart(rate=40 + ChartData.count % 20))


class Down:
    """A switch of the tests."""

    seen = False


is_down = Down()


class Saves(View):
    """Takes a draft as it is typed."""

    permission = "public"

    def post(self, request: HttpRequest) -> HttpResponse:
        """Say what came."""
        return HttpResponse(f"Saved “{len(request.POST.get('draft', ''))} characters”")


urlpatterns = [
    path("breaks/", Breaks.as_view()),
    path("suspects/", Suspects.as_view()),
    path("reference/", Reference.as_view()),
    path("platform/reference/", Reference.as_view()),
    path("reference/live/", Live.as_view(), name="reference_live"),
    path("reference/chart/", ChartData.as_view(), name="reference_chart"),
    path("reference/save/", Saves.as_view(), name="reference_save"),
    *urls.urlpatterns,
]

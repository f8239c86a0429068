"""How these pages answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from workspaces.rules.refusal import Refusal


def show(
    request: HttpRequest, template: str, /, *, status: int = 200, **context: Any
) -> HttpResponse:
    """Render a page that no cache may keep."""
    response = render(request, template, context, status=status)
    response["Cache-Control"] = "no-store"
    return response


@contextmanager
def refusals_said(request: HttpRequest) -> Iterator[None]:
    """Say on the next page what a verb inside refuses; what stands behind it inside is left out."""
    try:
        yield
    except Refusal as refusal:
        messages.error(request, refusal.sentence)

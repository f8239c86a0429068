"""How these pages answer."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def show(
    request: HttpRequest, template: str, /, *, status: int = 200, **context: Any
) -> HttpResponse:
    """Render a page that no cache may keep."""
    response = render(request, template, context, status=status)
    response["Cache-Control"] = "no-store"
    return response

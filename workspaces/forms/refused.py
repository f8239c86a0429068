"""A verb's refusal, shown where it belongs."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.forms import BaseForm

from workspaces.rules.refusal import Refusal


def show_refusal(form: BaseForm, refusal: Refusal) -> None:
    """Put a refusal at the field it names, or above the form when the form has no such field."""
    form.add_error(refusal.field if refusal.field in form.fields else None, refusal.sentence)


@contextmanager
def refusals_shown(form: BaseForm) -> Iterator[None]:
    """Show in the form what a verb inside refuses; the code behind draws the form again."""
    try:
        yield
    except Refusal as refusal:
        show_refusal(form, refusal)

"""What a verb refuses is said where the person looks, and nothing behind it happens."""

import pytest
from django import forms
from django.contrib.messages import get_messages
from django.contrib.messages.storage.cookie import CookieStorage
from django.test import RequestFactory

from workspaces.forms.refused import refusals_shown
from workspaces.rules.refusal import Refusal
from workspaces.views.shown import refusals_said


class Name(forms.Form):
    """One field."""

    name = forms.CharField()


def valid() -> Name:
    form = Name({"name": "Care"})
    assert form.is_valid()
    return form


def test_a_refusal_stands_at_the_field_that_it_names() -> None:
    form = valid()
    with refusals_shown(form):
        raise Refusal("Another one has it.", field="name")
    assert form.errors["name"] == ["Another one has it."]


def test_a_refusal_of_no_field_of_the_form_stands_above_it() -> None:
    form = valid()
    with refusals_shown(form):
        raise Refusal("Not now.", field="elsewhere")
    assert form.non_field_errors() == ["Not now."]


def test_a_form_whose_verb_went_through_has_no_error() -> None:
    form = valid()
    with refusals_shown(form):
        pass
    assert form.is_valid()


def test_the_unexpected_is_not_taken_for_a_refusal() -> None:
    with pytest.raises(KeyError), refusals_shown(valid()):
        raise KeyError("fault")


def test_where_there_is_no_form_the_next_page_says_it() -> None:
    request = RequestFactory().post("/")
    request._messages = CookieStorage(request)  # type: ignore[attr-defined]
    said: list[str] = []
    with refusals_said(request):
        said.append("before")
        raise Refusal("Not now.")
    assert [(one.level_tag, one.message) for one in get_messages(request)] == [
        ("error", "Not now.")
    ]
    assert said == ["before"]

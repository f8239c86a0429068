"""The words by which subscribers stop: a workspace's own, and those of the platform."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views import View

from campaigns.actions.stop_words import add_own_word, add_word, remove_own_word, remove_word
from campaigns.forms.replies import OwnWordForm, RemoveWordForm, WordForm
from campaigns.models import StopWord, WordKind, WorkspaceStopWord
from campaigns.queries.stop_words import (
    platform_word,
    platform_words,
    words_by_language,
    workspace_word,
    workspace_words,
)
from campaigns.views.uploads import address
from workspaces.forms.refused import refusals_shown
from workspaces.gate.request import GateRequest
from workspaces.views.shown import show


class _Words(View, ABC):
    """Words that count, and the form that adds one."""

    form_class: type[OwnWordForm]

    def get(self, request: GateRequest) -> HttpResponse:
        """The words."""
        return self.page(request, self.form_class())

    def post(self, request: GateRequest) -> HttpResponse:
        """Add a word."""
        form = self.form_class(request.POST)
        if form.is_valid():
            with refusals_shown(form):
                messages.success(request, self.add(request, form.cleaned_data))
                return redirect(request.path)
        return self.page(request, form)

    @abstractmethod
    def add(self, request: GateRequest, given: Mapping[str, Any]) -> str:
        """Add the word; return the sentence that says so."""

    @abstractmethod
    def page(self, request: GateRequest, form: OwnWordForm) -> HttpResponse:
        """Draw the page."""


class OwnWords(_Words):
    """The words that count in a workspace, and the form that adds one."""

    permission = {"GET": "list.see", "POST": "workspace.edit"}
    form_class = OwnWordForm

    def add(self, request: GateRequest, given: Mapping[str, Any]) -> str:
        """Add it to the workspace's own."""
        kind, word = WordKind(given["kind"]), given["word"]
        made = add_own_word(by=request.me, kind=kind, word=word, now=timezone.now())
        return _("“%(word)s” counts in this workspace.") % {"word": made.word}

    def page(self, request: GateRequest, form: OwnWordForm) -> HttpResponse:
        """Draw the page."""
        return show(
            request,
            "stop_words/own.html",
            form=form,
            own=workspace_words(request.me.here),
            languages=words_by_language(),
            may_edit=request.me.may("workspace.edit"),
        )


class Words(_Words):
    """The words that count in every workspace, and the form that adds one."""

    permission = {"GET": "platform.see", "POST": "platform.edit"}
    form_class = WordForm

    def add(self, request: GateRequest, given: Mapping[str, Any]) -> str:
        """Add it to the platform's."""
        made = add_word(
            by=request.me,
            kind=WordKind(given["kind"]),
            language=given["language"],
            word=given["word"],
            now=timezone.now(),
        )
        return _("“%(word)s” counts in every workspace.") % {"word": made.word}

    def page(self, request: GateRequest, form: OwnWordForm) -> HttpResponse:
        """Draw the page."""
        return show(request, "stop_words/platform.html", form=form, words=platform_words())


class _RemoveWord(View, ABC):
    """Asks why, and takes a word away."""

    is_platform = False

    def get(self, request: GateRequest, word_id: int) -> HttpResponse:
        """The question."""
        return self.page(request, word_id, RemoveWordForm())

    def post(self, request: GateRequest, word_id: int) -> HttpResponse:
        """Take it away."""
        form = RemoveWordForm(request.POST)
        if form.is_valid():
            with refusals_shown(form):
                self.remove(request, word_id, form.cleaned_data["why"])
                messages.success(request, _("The word does not count any more."))
                return redirect(self.home(request))
        return self.page(request, word_id, form)

    def page(self, request: GateRequest, word_id: int, form: RemoveWordForm) -> HttpResponse:
        """Draw the question."""
        word, back = self.find(request, word_id), self.home(request)
        if word is None:
            raise Http404
        return show(
            request,
            "stop_words/remove.html",
            word=word,
            form=form,
            back=back,
            is_platform=self.is_platform,
        )

    @abstractmethod
    def find(self, request: GateRequest, word_id: int) -> StopWord | WorkspaceStopWord | None:
        """Return the word, or None."""

    @abstractmethod
    def remove(self, request: GateRequest, word_id: int, why: str) -> None:
        """Take it away."""

    @abstractmethod
    def home(self, request: GateRequest) -> str:
        """Return the address of the words."""


class RemoveOwnWord(_RemoveWord):
    """Asks why, and takes one of the workspace's words away."""

    permission = "workspace.edit"

    def find(self, request: GateRequest, word_id: int) -> WorkspaceStopWord | None:
        """Return one of the workspace's own words, or None."""
        return workspace_word(request.me.here, word_id)

    def remove(self, request: GateRequest, word_id: int, why: str) -> None:
        """Take it from the workspace."""
        remove_own_word(by=request.me, word_id=word_id, why=why, now=timezone.now())

    def home(self, request: GateRequest) -> str:
        """Return the address of the workspace's words."""
        return address(request, "stop_words")


class RemoveWord(_RemoveWord):
    """Asks why, and takes a word from every workspace."""

    permission = "platform.edit"
    is_platform = True

    def find(self, request: GateRequest, word_id: int) -> StopWord | None:
        """Return a word of the platform, or None."""
        return platform_word(word_id)

    def remove(self, request: GateRequest, word_id: int, why: str) -> None:
        """Take it from every workspace."""
        remove_word(by=request.me, word_id=word_id, why=why, now=timezone.now())

    def home(self, request: GateRequest) -> str:
        """Return the address of the platform's words."""
        return reverse("platform:stop_words")

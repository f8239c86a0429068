"""The words by which subscribers stop: a workspace's own, and those of the platform."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views import View

from campaigns.actions.stop_words import add_own_word, add_word, remove_own_word, remove_word
from campaigns.forms.replies import OwnWordForm, RemoveWordForm, WordForm
from campaigns.models import WordKind
from campaigns.queries.stop_words import (
    platform_word,
    platform_words,
    words_by_language,
    workspace_word,
    workspace_words,
)
from campaigns.views.uploads import address
from workspaces.forms.refused import show_refusal
from workspaces.gate.request import GateRequest
from workspaces.rules.refusal import Refusal
from workspaces.views.shown import show


class OwnWords(View):
    """The words that count in a workspace, and the form that adds one."""

    permission = {"GET": "list.see", "POST": "workspace.edit"}

    def get(self, request: GateRequest) -> HttpResponse:
        """The words."""
        return self.page(request, OwnWordForm(), 200)

    def post(self, request: GateRequest) -> HttpResponse:
        """Add a word."""
        form = OwnWordForm(request.POST)
        if form.is_valid():
            kind, word = WordKind(form.cleaned_data["kind"]), form.cleaned_data["word"]
            try:
                made = add_own_word(by=request.me, kind=kind, word=word, now=timezone.now())
            except Refusal as refusal:
                show_refusal(form, refusal)
            else:
                messages.success(
                    request, _("“%(word)s” counts in this workspace.") % {"word": made.word}
                )
                return redirect(address(request, "stop_words"))
        return self.page(request, form, 200)

    def page(self, request: GateRequest, form: OwnWordForm, status: int) -> HttpResponse:
        """Draw the page."""
        return show(
            request,
            "stop_words/own.html",
            status=status,
            form=form,
            own=workspace_words(request.me.here),
            languages=words_by_language(),
            may_edit=request.me.may("workspace.edit"),
        )


class RemoveOwnWord(View):
    """Asks why, and takes one of the workspace's words away."""

    permission = "workspace.edit"

    def get(self, request: GateRequest, word_id: int) -> HttpResponse:
        """The question."""
        return self.page(request, word_id, RemoveWordForm())

    def post(self, request: GateRequest, word_id: int) -> HttpResponse:
        """Take it away."""
        form = RemoveWordForm(request.POST)
        if form.is_valid():
            why, now = form.cleaned_data["why"], timezone.now()
            try:
                remove_own_word(by=request.me, word_id=word_id, why=why, now=now)
            except Refusal as refusal:
                show_refusal(form, refusal)
            else:
                messages.success(request, _("The word does not count any more."))
                return redirect(address(request, "stop_words"))
        return self.page(request, word_id, form)

    def page(self, request: GateRequest, word_id: int, form: RemoveWordForm) -> HttpResponse:
        """Draw the question."""
        word = workspace_word(request.me.here, word_id)
        if word is None:
            raise Http404
        back: Any = address(request, "stop_words")
        return show(request, "stop_words/remove.html", word=word, form=form, back=back)


class Words(View):
    """The words that count in every workspace, and the form that adds one."""

    permission = {"GET": "platform.see", "POST": "platform.edit"}

    def get(self, request: GateRequest) -> HttpResponse:
        """The words."""
        return self.page(request, WordForm())

    def post(self, request: GateRequest) -> HttpResponse:
        """Add a word."""
        form = WordForm(request.POST)
        if form.is_valid():
            given = form.cleaned_data
            try:
                made = add_word(
                    by=request.me,
                    kind=WordKind(given["kind"]),
                    language=given["language"],
                    word=given["word"],
                    now=timezone.now(),
                )
            except Refusal as refusal:
                show_refusal(form, refusal)
            else:
                messages.success(
                    request, _("“%(word)s” counts in every workspace.") % {"word": made.word}
                )
                return redirect("platform:stop_words")
        return self.page(request, form)

    def page(self, request: GateRequest, form: WordForm) -> HttpResponse:
        """Draw the page."""
        return show(request, "stop_words/platform.html", form=form, words=platform_words())


class RemoveWord(View):
    """Asks why, and takes a word from every workspace."""

    permission = "platform.edit"

    def get(self, request: GateRequest, word_id: int) -> HttpResponse:
        """The question."""
        return self.page(request, word_id, RemoveWordForm())

    def post(self, request: GateRequest, word_id: int) -> HttpResponse:
        """Take it away."""
        form = RemoveWordForm(request.POST)
        if form.is_valid():
            why, now = form.cleaned_data["why"], timezone.now()
            try:
                remove_word(by=request.me, word_id=word_id, why=why, now=now)
            except Refusal as refusal:
                show_refusal(form, refusal)
            else:
                messages.success(request, _("The word does not count any more."))
                return redirect("platform:stop_words")
        return self.page(request, word_id, form)

    def page(self, request: GateRequest, word_id: int, form: RemoveWordForm) -> HttpResponse:
        """Draw the question."""
        word = platform_word(word_id)
        if word is None:
            raise Http404
        back = redirect("platform:stop_words").url
        return show(
            request, "stop_words/remove.html", word=word, form=form, back=back, is_platform=True
        )

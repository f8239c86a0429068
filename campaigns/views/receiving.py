"""Pages whose form brings a file."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Generic, TypeVar

from django import forms
from django.conf import settings
from django.http import HttpResponse
from django.utils.decorators import method_decorator
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views import View
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from campaigns.forms.uploads import is_longer_than, receive_file
from workspaces.gate.request import GateRequest
from workspaces.views.shown import show

F = TypeVar("F", bound=forms.Form)


@method_decorator(csrf_exempt, name="dispatch")
class ReceivesFile(View, ABC, Generic[F]):
    """A form with a field `file`, received to disk within a cap.

    The token is checked by `_protected`, not before: whoever reads the form first decides how its
    file is received, and that has to be us.
    """

    form_class: type[F]
    template: str
    too_large: ClassVar[str | Promise]
    disk_full: ClassVar[str | Promise] = _("The server has no room for this file.")

    def get(self, request: GateRequest) -> HttpResponse:
        """The form."""
        return self.page(request, self.form_class())

    def post(self, request: GateRequest) -> HttpResponse:
        """Receive the file, and take it when it came to the end."""
        most = self.most_bytes()
        if is_longer_than(request, most):
            return self._without_file(request, self.too_large, 413)
        handler = receive_file(request, most)
        response: HttpResponse = self._protected(request)
        if handler.is_disk_full:
            return self._without_file(request, self.disk_full, 507)
        if handler.is_too_large:
            return self._without_file(request, self.too_large, 413)
        return response

    @method_decorator(csrf_protect)
    def _protected(self, request: GateRequest) -> HttpResponse:
        form = self.form_class(request.POST, request.FILES)
        if not form.is_valid():
            return self.page(request, form)
        return self.take(request, form)

    def _without_file(
        self, request: GateRequest, sentence: str | Promise, status: int
    ) -> HttpResponse:
        """Draw the form again when its file was not received to the end."""
        form = self.form_class({})
        form.errors.clear()
        form.add_error("file", str(sentence))
        return self.page(request, form, status)

    def most_bytes(self) -> int:
        """Return how long the file may be."""
        return settings.MAX_UPLOAD_BYTES

    def page(self, request: GateRequest, form: F, status: int = 200, **more: Any) -> HttpResponse:
        """Draw the form."""
        return show(request, self.template, status=status, form=form, **more)

    @abstractmethod
    def take(self, request: GateRequest, form: F) -> HttpResponse:
        """Take what a valid form brought; draw the form again when it is refused."""

"""Uploading a recipient list: by script in pieces, or as an ordinary form."""

from typing import Any

from django.contrib import messages
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import View

from campaigns.actions import lists
from campaigns.actions.list_files import (
    DiskFull,
    TooLarge,
    UploadBusy,
    UploadRefused,
    WrongOffset,
)
from campaigns.forms.lists import UploadForm
from campaigns.forms.uploads import announced_bytes
from campaigns.models import ListState, RecipientList
from campaigns.queries.list_files import received
from campaigns.queries.lists import find_list
from campaigns.views.receiving import ReceivesFile
from workspaces.forms.refused import show_refusal
from workspaces.gate.request import GateRequest
from workspaces.rules.refusal import Refusal

# How much the script sends at once.
PIECE_BYTES = 4_000_000
MOST_PIECE_BYTES = 16_000_000
STATUS_OF = {TooLarge: 413, DiskFull: 507, UploadBusy: 409, WrongOffset: 409}


def list_or_404(request: GateRequest, list_id: int) -> RecipientList:
    """Return a list of this workspace; raises Http404."""
    lst = find_list(request.me.here, list_id)
    if lst is None:
        raise Http404
    return lst


def address(request: GateRequest, name: str, **kwargs: Any) -> str:
    """Return the address of a page of this workspace."""
    return reverse(f"campaigns:{name}", kwargs={"workspace": request.me.here.slug, **kwargs})


def refused(refusal: Refusal) -> JsonResponse:
    """Answer the script with the sentence for the person."""
    body = {"sentence": refusal.sentence, "code": refusal.code, "field": refusal.field}
    if isinstance(refusal, WrongOffset):
        body["offset"] = str(refusal.offset)
    return JsonResponse(body, status=STATUS_OF.get(type(refusal), 400))


class StartUpload(View):
    """Begins an upload for the script: says where its pieces go."""

    permission = "list.edit"

    def post(self, request: GateRequest) -> HttpResponse:
        """Make the list; the body is an ordinary form with file_name, size and name."""
        size = request.POST.get("size", "")
        try:
            lst = lists.start_upload(
                by=request.me,
                file_name=request.POST.get("file_name", "")[:255],
                size_bytes=int(size) if size.isascii() and size.isdigit() else 0,
                name=request.POST.get("name", ""),
                now=timezone.now(),
            )
        except Refusal as refusal:
            return refused(refusal)
        return JsonResponse(
            {
                "file": address(request, "list_file", list_id=lst.pk),
                "finish": address(request, "list_finish", list_id=lst.pk),
                "offset": 0,
                "piece": PIECE_BYTES,
            },
            status=201,
        )


class ListFile(View):
    """The file of a list that is being uploaded: says how far it is, takes the next piece."""

    permission = "list.edit"

    def get(self, request: GateRequest, list_id: int) -> HttpResponse:
        """How many bytes have arrived."""
        lst = list_or_404(request, list_id)
        return JsonResponse({"offset": received(lst), "size": lst.size_bytes})

    def put(self, request: GateRequest, list_id: int) -> HttpResponse:
        """Append the body at the offset that its header names; it is read piece by piece."""
        list_or_404(request, list_id)
        offset = request.headers.get("Upload-Offset", "")
        if not (offset.isascii() and offset.isdigit()):
            return refused(UploadRefused(_("The piece does not say where it begins.")))
        if announced_bytes(request) > MOST_PIECE_BYTES:
            return refused(TooLarge(_("A piece may have 16 MB at the most.")))
        try:
            size = lists.append(
                by=request.me,
                list_id=list_id,
                offset=int(offset),
                stream=request,
                now=timezone.now(),
            )
        except Refusal as refusal:
            return refused(refusal)
        return JsonResponse({"offset": size})


class FinishUpload(View):
    """The script has sent everything."""

    permission = "list.edit"

    def post(self, request: GateRequest, list_id: int) -> HttpResponse:
        """Take the file in; say which page comes next."""
        list_or_404(request, list_id)
        try:
            lst = lists.finish_upload(by=request.me, list_id=list_id, now=timezone.now())
        except Refusal as refusal:
            return refused(refusal)
        return JsonResponse({"page": next_page(request, lst)})


def next_page(request: GateRequest, lst: RecipientList) -> str:
    """Return where a person goes on after an upload."""
    name = "list_columns" if lst.state == ListState.UPLOADED else "list_page"
    return address(request, name, list_id=lst.pk)


class NewList(ReceivesFile[UploadForm]):
    """The page of an upload. Without the script the form itself brings the file."""

    permission = "list.edit"
    form_class = UploadForm
    template = "lists/new.html"
    too_large = gettext_lazy("The file is larger than a list may be. Split it.")
    disk_full = gettext_lazy("The server has no room for this file. Tell the platform team.")

    def take(self, request: GateRequest, form: UploadForm) -> HttpResponse:
        """Take it in."""
        try:
            lst = take_file(request, form.cleaned_data["file"], form.cleaned_data["name"])
        except Refusal as refusal:
            show_refusal(form, refusal)
            return self.page(request, form, STATUS_OF.get(type(refusal), 200))
        return redirect(next_page(request, lst))

    def page(
        self, request: GateRequest, form: UploadForm, status: int = 200, **more: Any
    ) -> HttpResponse:
        """Draw the form, with how long the file may be."""
        return super().page(request, form, status, most=self.most_bytes(), **more)


def take_file(request: GateRequest, file: TemporaryUploadedFile, name: str) -> RecipientList:
    """Move a received file to its place and take it in. Raises Refusal."""
    now = timezone.now()
    lst = lists.start_upload(
        by=request.me,
        file_name=file.name or "",
        size_bytes=file.size or 0,
        name=name,
        now=now,
    )
    lists.append(by=request.me, list_id=lst.pk, offset=0, stream=file, now=now)
    return lists.finish_upload(by=request.me, list_id=lst.pk, now=now)


class DiscardUpload(View):
    """Drops an upload, after asking."""

    permission = "list.edit"

    def post(self, request: GateRequest, list_id: int) -> HttpResponse:
        """Drop it."""
        list_or_404(request, list_id)
        try:
            lists.discard(by=request.me, list_id=list_id, now=timezone.now())
        except Refusal as refusal:
            messages.error(request, refusal.sentence)
            return redirect(address(request, "list_page", list_id=list_id))
        messages.success(request, _("The upload and its file are gone."))
        return redirect(address(request, "lists"))

"""Addresses: sender names. A name is its own address; `new` and `preview` cannot be one."""

from django.urls import URLPattern, path

from campaigns.views import senders

ONE = "senders/<str:sender>/"

urlpatterns: list[URLPattern] = [
    path("senders/", senders.Senders.as_view(), name="senders"),
    path("senders/new/", senders.NewSender.as_view(), name="sender_new"),
    path("senders/preview/", senders.Preview.as_view(), name="sender_preview"),
    path(ONE, senders.SenderPage.as_view(), name="sender"),
    path(f"{ONE}revisions/<int:number>/", senders.SenderPage.as_view(), name="sender_revision"),
    path(f"{ONE}propose/", senders.Propose.as_view(), name="sender_propose"),
    path(f"{ONE}decide/<slug:verdict>/", senders.Decide.as_view(), name="sender_decide"),
    path(f"{ONE}withdraw/", senders.Withdraw.as_view(), name="sender_withdraw"),
    path(f"{ONE}archive/", senders.Archive.as_view(), name="sender_archive"),
    path(f"{ONE}restore/", senders.Restore.as_view(), name="sender_restore"),
]

"""Addresses: what is unknown, and what settles it."""

from django.urls import URLPattern, path

from campaigns.views import records, unknowns

HERE = "unknown/"
IMPORT = f"{HERE}records/<int:records_id>/"
RESEND = f"{HERE}resends/<int:decision_id>/"

urlpatterns: list[URLPattern] = [
    path(HERE, unknowns.Unknowns.as_view(), name="unknowns"),
    path(f"{HERE}export/", unknowns.TakeUnknowns.as_view(), name="unknowns_export"),
    path(f"{HERE}records/new/", records.NewRecords.as_view(), name="records_new"),
    path(IMPORT, records.Records.as_view(), name="records"),
    path(f"{IMPORT}left/", records.LeftRecords.as_view(), name="records_left"),
    path(RESEND, unknowns.Resend.as_view(), name="resend"),
    path(f"{RESEND}decide/", unknowns.DecideResend.as_view(), name="resend_decide"),
    path("campaigns/C-<int:number>/resend/", unknowns.RequestResend.as_view(), name="resend_new"),
    path(
        "campaigns/C-<int:number>/messages/<int:position>/receipt/",
        unknowns.AttachReceipt.as_view(),
        name="attach_receipt",
    ),
]

"""Addresses of the REST API, below /api/v1/."""

from django.urls import URLPattern, path

from campaigns.api import campaigns, diagnostics, document, inbound, me, messages, senders, unknowns

urlpatterns: list[URLPattern] = [
    path("messages", messages.Messages.as_view(), name="messages"),
    path("messages/<uuid:uuid>", messages.Message.as_view(), name="message"),
    path("campaigns", campaigns.Campaigns.as_view(), name="campaigns"),
    path("campaigns/<str:campaign>", campaigns.Campaign.as_view(), name="campaign"),
    path("inbound", inbound.InboundMessages.as_view(), name="inbound_list"),
    path("inbound/<uuid:uuid>", inbound.InboundMessage.as_view(), name="inbound"),
    path(
        "inbound/<uuid:uuid>/assigned_to",
        inbound.InboundAssignment.as_view(),
        name="inbound_assigned",
    ),
    path("senders", senders.Senders.as_view(), name="senders"),
    path("unknowns", unknowns.Unknowns.as_view(), name="unknowns"),
    path("diagnostics", diagnostics.Diagnostics.as_view(), name="diagnostics"),
    path("me", me.Caller.as_view(), name="me"),
    path("openapi.json", document.Document.as_view(), name="openapi"),
]

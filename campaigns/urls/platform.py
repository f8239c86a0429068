"""Addresses of the product below /platform/: what the platform team sees of every workspace."""

from django.urls import URLPattern, path

from campaigns.views import (
    diagnostics,
    platform_campaigns,
    platform_inbound,
    protected_names,
    stop_words,
    unknowns,
)

urlpatterns: list[URLPattern] = [
    path("senders/", protected_names.ProtectedNames.as_view(), name="senders"),
    path(
        "senders/<int:name_id>/lift/",
        protected_names.LiftProtection.as_view(),
        name="lift_protection",
    ),
    path("inbound/", platform_inbound.Unassigned.as_view(), name="inbound"),
    path("stop-words/", stop_words.Words.as_view(), name="stop_words"),
    path(
        "stop-words/<int:word_id>/remove/",
        stop_words.RemoveWord.as_view(),
        name="stop_word_remove",
    ),
    path("campaigns/", platform_campaigns.AllCampaigns.as_view(), name="campaigns"),
    path("diagnostics/", diagnostics.Diagnostics.as_view(), name="diagnostics"),
    path("unknown/", unknowns.PlatformUnknowns.as_view(), name="unknowns"),
]

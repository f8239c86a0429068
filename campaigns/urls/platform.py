"""Addresses of the product below /platform/: what the platform team sees of every workspace."""

from django.urls import URLPattern, path

from campaigns.views import diagnostics, platform_campaigns, protected_names

urlpatterns: list[URLPattern] = [
    path("senders/", protected_names.ProtectedNames.as_view(), name="senders"),
    path(
        "senders/<int:name_id>/lift/",
        protected_names.LiftProtection.as_view(),
        name="lift_protection",
    ),
    path("campaigns/", platform_campaigns.AllCampaigns.as_view(), name="campaigns"),
    path("diagnostics/", diagnostics.Diagnostics.as_view(), name="diagnostics"),
]

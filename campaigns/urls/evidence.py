"""Addresses: the evidence of one message."""

from django.urls import URLPattern, path

from campaigns.views import evidence

urlpatterns: list[URLPattern] = [
    path("messages/evidence/", evidence.FindEvidence.as_view(), name="evidence"),
    path("messages/evidence/take/", evidence.TakeEvidence.as_view(), name="evidence_take"),
]

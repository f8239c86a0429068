"""Addresses of a workspace's audit log, below /w/<slug>/audit/."""

from django.urls import path

from audit.views.log import Entries, OneEntry

app_name = "audit"
urlpatterns = [
    path("", Entries.as_view(), name="list"),
    path("<uuid:eid>/", OneEntry.as_view(), name="entry"),
]

"""Addresses of a workspace's audit log below /w/<slug>/audit/; `platform` is below /platform/."""

from django.urls import URLPattern, path

from audit.views.erasing import Erase, EraseOfSystem
from audit.views.log import Entries, OneEntry, OneSystemEntry, SystemEntries

app_name = "audit"
urlpatterns: list[URLPattern] = [
    path("", Entries.as_view(), name="list"),
    path("<uuid:eid>/", OneEntry.as_view(), name="entry"),
    path("<uuid:eid>/erase/", Erase.as_view(), name="erase"),
]
platform: list[URLPattern] = [
    path("audit/", SystemEntries.as_view(), name="audit"),
    path("audit/<uuid:eid>/", OneSystemEntry.as_view(), name="audit_entry"),
    path("audit/<uuid:eid>/erase/", EraseOfSystem.as_view(), name="audit_erase"),
]

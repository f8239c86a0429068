"""Addresses of a workspace's audit log below /w/<slug>/audit/, of its evidence below
/w/<slug>/evidence/; `platform` is below /platform/.
"""

from django.urls import URLPattern, path

from audit.views.erasing import Erase, EraseOfSystem
from audit.views.exports import (
    DownloadExport,
    ExportList,
    Exports,
    OneExport,
    RefuseExport,
    ReleaseExport,
)
from audit.views.log import Entries, OneEntry, OneSystemEntry, SystemEntries

app_name = "audit"
urlpatterns: list[URLPattern] = [
    path("", Entries.as_view(), name="list"),
    path("<uuid:eid>/", OneEntry.as_view(), name="entry"),
    path("<uuid:eid>/erase/", Erase.as_view(), name="erase"),
]
evidence: list[URLPattern] = [
    path("", Exports.as_view(), name="list"),
    path("now/", ExportList.as_view(), name="now"),
    path("<int:export_id>/", OneExport.as_view(), name="one"),
    path("<int:export_id>/release/", ReleaseExport.as_view(), name="release"),
    path("<int:export_id>/refuse/", RefuseExport.as_view(), name="refuse"),
    path("<int:export_id>/file/", DownloadExport.as_view(), name="file"),
]
platform: list[URLPattern] = [
    path("audit/", SystemEntries.as_view(), name="audit"),
    path("audit/<uuid:eid>/", OneSystemEntry.as_view(), name="audit_entry"),
    path("audit/<uuid:eid>/erase/", EraseOfSystem.as_view(), name="audit_erase"),
]

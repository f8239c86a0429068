"""Addresses: recipient lists."""

from django.urls import URLPattern, path

from campaigns.views.list_columns import ListColumns
from campaigns.views.lists import KeepList, ListPage, ListProgress, Lists, ListWaterfall, RejectFile
from campaigns.views.uploads import DiscardUpload, FinishUpload, ListFile, NewList, StartUpload

urlpatterns: list[URLPattern] = [
    path("lists/", Lists.as_view(), name="lists"),
    path("lists/new/", NewList.as_view(), name="list_new"),
    path("lists/start/", StartUpload.as_view(), name="list_start"),
    path("lists/<int:list_id>/", ListPage.as_view(), name="list_page"),
    path("lists/<int:list_id>/file/", ListFile.as_view(), name="list_file"),
    path("lists/<int:list_id>/finish/", FinishUpload.as_view(), name="list_finish"),
    path("lists/<int:list_id>/discard/", DiscardUpload.as_view(), name="list_discard"),
    path("lists/<int:list_id>/columns/", ListColumns.as_view(), name="list_columns"),
    path("lists/<int:list_id>/waterfall/", ListWaterfall.as_view(), name="list_waterfall"),
    path("lists/<int:list_id>/progress/", ListProgress.as_view(), name="list_progress"),
    path("lists/<int:list_id>/keep/", KeepList.as_view(), name="list_keep"),
    path("lists/<int:list_id>/rejects/", RejectFile.as_view(), name="list_rejects"),
]

"""Addresses: opt-outs."""

from django.urls import URLPattern, path

from campaigns.views.opt_outs import AddOptOut, FindOptOut, ImportOptOuts, LiftOptOut, OptOuts

urlpatterns: list[URLPattern] = [
    path("optouts/", OptOuts.as_view(), name="opt_outs"),
    path("optouts/find/", FindOptOut.as_view(), name="opt_out_find"),
    path("optouts/add/", AddOptOut.as_view(), name="opt_out_add"),
    path("optouts/import/", ImportOptOuts.as_view(), name="opt_out_import"),
    path("optouts/<int:opt_out_id>/lift/", LiftOptOut.as_view(), name="opt_out_lift"),
]

"""Addresses below /w/<workspace>/; platform.py and api.py are mounted elsewhere."""

from campaigns.urls import (
    campaigns,
    evidence,
    lists,
    live,
    opt_outs,
    replies,
    review,
    senders,
    unknowns,
)

app_name = "campaigns"
urlpatterns = [
    *campaigns.urlpatterns,
    *live.urlpatterns,
    *evidence.urlpatterns,
    *review.urlpatterns,
    *lists.urlpatterns,
    *senders.urlpatterns,
    *opt_outs.urlpatterns,
    *unknowns.urlpatterns,
    *replies.urlpatterns,
]

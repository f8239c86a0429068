"""Addresses: one campaign while and after it sends, its messages, and the search for a number."""

from django.urls import URLPattern, path

from campaigns.views import live, messages, running

ONE = "campaigns/C-<int:number>/"
MESSAGE = f"{ONE}messages/<int:position>/"

urlpatterns: list[URLPattern] = [
    path(ONE, live.CampaignPage.as_view(), name="detail"),
    path(f"{ONE}now/", live.CampaignNow.as_view(), name="detail_now"),
    path(f"{ONE}chart/", live.CampaignChart.as_view(), name="detail_chart"),
    path(f"{ONE}start/", running.Start.as_view(), name="start"),
    path(f"{ONE}pause/", running.Pause.as_view(), name="pause"),
    path(f"{ONE}resume/", running.Resume.as_view(), name="resume"),
    path(f"{ONE}rate/", running.ChangeRate.as_view(), name="rate"),
    path(f"{ONE}cancel/", running.Cancel.as_view(), name="cancel"),
    path(f"{ONE}messages/", messages.CampaignMessages.as_view(), name="campaign_messages"),
    path(f"{ONE}messages/export/", messages.Export.as_view(), name="export"),
    path(MESSAGE, messages.OneMessage.as_view(), name="message"),
    path(f"{MESSAGE}reveal/", messages.Reveal.as_view(), name="reveal"),
    path("messages/", messages.FindMessages.as_view(), name="messages"),
]

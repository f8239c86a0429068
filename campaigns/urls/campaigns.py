"""Addresses: the overview, the list of campaigns, the wizard, and what is done before sending."""

from django.urls import URLPattern, path

from campaigns.views import campaigns, check, overview, wizard

ONE = "campaigns/C-<int:number>/"

urlpatterns: list[URLPattern] = [
    path("", overview.Overview.as_view(), name="overview"),
    path("campaigns/", campaigns.Campaigns.as_view(), name="list"),
    path("campaigns/new/", campaigns.NewCampaign.as_view(), name="new"),
    path(f"{ONE}edit/check/", check.Check.as_view(), name="check"),
    path(f"{ONE}edit/message/count/", wizard.CountText.as_view(), name="count"),
    path(f"{ONE}edit/<slug:step>/", wizard.Edit.as_view(), name="edit"),
    path(f"{ONE}build/", check.Build.as_view(), name="build"),
    path(f"{ONE}build/progress/", check.BuildProgress.as_view(), name="build_progress"),
    path(f"{ONE}build/stop/", check.StopBuild.as_view(), name="build_stop"),
    path(f"{ONE}submit/", check.Submit.as_view(), name="submit"),
    path(f"{ONE}withdraw/", campaigns.Withdraw.as_view(), name="withdraw"),
    path(f"{ONE}clone/", campaigns.Clone.as_view(), name="clone"),
    path(f"{ONE}archive/", campaigns.Archive.as_view(), name="archive"),
    path(f"{ONE}restore/", campaigns.Restore.as_view(), name="restore"),
    path(f"{ONE}delete/", campaigns.Delete.as_view(), name="delete"),
]

"""Addresses: review."""

from django.urls import URLPattern, path

from campaigns.views import review

ONE = "review/C-<int:number>/"

urlpatterns: list[URLPattern] = [
    path("review/", review.Inbox.as_view(), name="review"),
    path(ONE, review.ReviewItem.as_view(), name="review_item"),
    path(f"{ONE}<slug:verdict>/", review.Decide.as_view(), name="review_decide"),
]

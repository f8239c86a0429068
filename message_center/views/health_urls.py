"""Addresses of the health checks."""

from django.urls import path

from message_center.views.health import Audit, Live, Ready

urlpatterns = [
    path("live/", Live.as_view(), name="live"),
    path("ready/", Ready.as_view(), name="ready"),
    path("audit/", Audit.as_view(), name="audit"),
]

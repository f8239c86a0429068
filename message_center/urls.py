"""All addresses. Every view behind them names its permission; the gate reads it."""

from django.urls import URLPattern, include, path
from django.utils.translation import gettext

import audit.urls
import campaigns.urls
import campaigns.urls.api
import campaigns.urls.platform
import smpp_client.urls
import workspaces.urls
from campaigns.queries.live import sending_count
from campaigns.queries.review import waiting_count
from message_center.middleware import NAV_COUNTS, Count
from message_center.views import health_urls
from message_center.views.theme import ChangeTheme
from workspaces.queries.me import Me

platform: list[URLPattern] = [
    *workspaces.urls.platform,
    *campaigns.urls.platform.urlpatterns,
    *smpp_client.urls.platform,
    *audit.urls.platform,
]

urlpatterns = [
    path("", include((workspaces.urls.urlpatterns, "workspaces"))),
    path("me/theme/", ChangeTheme.as_view(), name="theme"),
    path("w/<slug:workspace>/audit/", include((audit.urls.urlpatterns, "audit"))),
    path("w/<slug:workspace>/evidence/", include((audit.urls.evidence, "evidence"))),
    path("w/<slug:workspace>/", include((campaigns.urls.urlpatterns, "campaigns"))),
    path("platform/", include((platform, "platform"))),
    path("api/v1/", include((campaigns.urls.api.urlpatterns, "api"))),
    path("health/", include((health_urls.urlpatterns, "health"))),
]

handler400 = "message_center.views.bad_request"
handler403 = "message_center.views.forbidden"
handler404 = "message_center.views.not_found"
handler500 = "message_center.views.server_error"


def _sending(me: Me) -> Count:
    return Count(sending_count(me.here), gettext("sending"))


def _waiting(me: Me) -> Count:
    return Count(waiting_count(me), gettext("waiting for you"), is_due=True)


NAV_COUNTS["campaigns:list"] = _sending
NAV_COUNTS["campaigns:review"] = _waiting

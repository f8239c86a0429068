"""Addresses of connections and routes, mounted at /platform/. `new` names neither."""

from django.urls import URLPattern, path

from smpp_client.views import connections, reports, routes

CONNECTION = "connections/<slug:name>/"
CHANGE = f"{CONNECTION}changes/<int:change_id>/"
REPORT = f"{CONNECTION}reports/<int:report_id>/"
ROUTE = "routes/<slug:name>/"

platform: list[URLPattern] = [
    path("connections/", connections.Connections.as_view(), name="connections"),
    path("connections/new/", connections.NewConnection.as_view(), name="connection_new"),
    path(CONNECTION, connections.ConnectionPage.as_view(), name="connection"),
    path(f"{CONNECTION}edit/", connections.EditConnection.as_view(), name="connection_edit"),
    path(f"{CHANGE}make/", connections.MakeChange.as_view(), name="connection_change_make"),
    path(f"{CHANGE}drop/", connections.DropChange.as_view(), name="connection_change_drop"),
    path(f"{CONNECTION}check/", connections.Check.as_view(), name="connection_check"),
    path(f"{CONNECTION}full-check/", reports.NewReport.as_view(), name="connection_report_new"),
    path(REPORT, reports.Report.as_view(), name="connection_report"),
    path(f"{REPORT}<slug:kind>/", reports.ReportFile.as_view(), name="connection_report_file"),
    path(f"{CONNECTION}disable/", connections.Switch.as_view(), name="connection_disable"),
    path(f"{CONNECTION}enable/", connections.Enable.as_view(), name="connection_enable"),
    path("routes/", routes.Routes.as_view(), name="routes"),
    path("routes/new/", routes.NewRoute.as_view(), name="route_new"),
    path(ROUTE, routes.RoutePage.as_view(), name="route"),
    path(f"{ROUTE}ranges/add/", routes.AddRange.as_view(), name="range_add"),
    path(f"{ROUTE}ranges/<prefix>/remove/", routes.RemoveRange.as_view(), name="range_remove"),
    path(f"{ROUTE}shift/", routes.Shift.as_view(), name="shift"),
    path(f"{ROUTE}shift/stop/", routes.StopShift.as_view(), name="shift_stop"),
    path(f"{ROUTE}shift/undo/", routes.UndoShift.as_view(), name="shift_undo"),
    path(f"{ROUTE}grant/", routes.Grant.as_view(), name="route_grant"),
    path(f"{ROUTE}revoke/<slug:slug>/", routes.Revoke.as_view(), name="route_revoke"),
]

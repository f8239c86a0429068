"""Addresses of the audit pages."""

app_name = "audit"
urlpatterns: list[object] = []

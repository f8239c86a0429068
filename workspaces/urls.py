"""Addresses of the workspaces pages."""

app_name = "workspaces"
urlpatterns: list[object] = []

"""Addresses of the campaigns pages."""

app_name = "campaigns"
urlpatterns: list[object] = []

"""Addresses of the smpp_client pages."""

app_name = "smpp_client"
urlpatterns: list[object] = []

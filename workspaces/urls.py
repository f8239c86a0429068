"""Addresses of sign-in, the own account, members and keys; `platform` is mounted at /platform/."""

from django.urls import URLPattern

app_name = "workspaces"
urlpatterns: list[URLPattern] = []
platform: list[URLPattern] = []

"""Addresses of connections and routes, mounted at /platform/."""

from django.urls import URLPattern

platform: list[URLPattern] = []

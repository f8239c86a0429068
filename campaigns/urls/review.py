"""Addresses: review."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []

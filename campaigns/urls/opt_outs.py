"""Addresses: opt_outs."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []

"""{% load sizes %}: `{{ list.size_bytes|size }}`."""

from django import template

from campaigns.rules.sizes import size_in_words

register = template.Library()
register.filter("size", size_in_words)

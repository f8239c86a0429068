"""The gate: every request passes it, once, before its view."""

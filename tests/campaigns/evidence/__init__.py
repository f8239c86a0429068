"""The evidence of single messages."""

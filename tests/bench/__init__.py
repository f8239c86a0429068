"""Figures, not tests: what the product costs beside the barest thing that does the same."""

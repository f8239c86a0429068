"""Cells of the files that we write, safe to open in a spreadsheet."""

# A cell that begins with one of these is a formula to a spreadsheet, the full-width forms included.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")


def harmless(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula: an apostrophe goes before."""
    start = cell.lstrip(" \u00a0\ufeff")
    return f"'{cell}" if start.startswith(_FORMULA_STARTS) else cell

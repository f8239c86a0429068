"""Sizes of files as people read them: decimal, as their own computers mostly say."""

_STEPS = ((1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB"))


def size_in_words(size: int) -> str:
    """Return `61.4 MB`, `1 GB`, `312 bytes`."""
    for step, unit in _STEPS:
        if size >= step:
            return f"{size / step:.1f}".removesuffix(".0") + f" {unit}"
    return f"{size} bytes"

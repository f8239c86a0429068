"""What a browser says about itself, in words that its owner recognises."""

# The first that occurs wins: Edge also says Chrome, and Chrome also says Safari.
PROGRAMS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def browser_name(agent: str) -> str:
    """Return "Firefox, Windows" for a User-Agent header; an empty text when nothing is known."""
    found = [
        next((name for mark, name in table if mark in agent), "") for table in (PROGRAMS, SYSTEMS)
    ]
    return ", ".join(name for name in found if name)

"""The settings that the code reads, found in the code."""

import ast

from message_center.roles import URL_OF_ROLE
from message_center.stack.product import ROOT

READERS = {"text", "number", "flag", "words"}


def settings_names() -> set[str]:
    """Return the name of every setting: read in settings.py, a role's URL, or a process's own."""
    tree = ast.parse((ROOT / "message_center" / "settings.py").read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    found = {name for call in calls if (name := _name(call))}
    return found | set(URL_OF_ROLE.values()) | {"ALIVE_FILE"}


def _name(call: ast.Call) -> str | None:
    """Return the setting that a call reads: `text("NAME")` or `os.environ.get("NAME")`."""
    reads = ast.unparse(call.func) in READERS | {"os.environ.get"}
    first = call.args[0] if call.args else None
    if reads and isinstance(first, ast.Constant) and isinstance(first.value, str):
        return first.value
    return None

"""What the roles may do with this app's tables, where it differs from the default
(message_center/roles.py).
"""

from collections.abc import Mapping

# Written once: the runtime role inserts and reads, and nobody but the owner's own functions takes
# away.
ONCE = {"app": "SELECT, INSERT"}

GRANTS: Mapping[str, Mapping[str, str]] = {
    "message": ONCE,
    "approval": ONCE,
    "sender_decision": ONCE,
}

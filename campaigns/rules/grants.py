"""What the roles may do with this app's tables, where it differs from the default
(message_center/roles.py).
"""

from collections.abc import Mapping

# Written once: the runtime role inserts and reads, and nobody but the owner's own functions takes
# away.
ONCE = {"app": "SELECT, INSERT"}

GRANTS: Mapping[str, Mapping[str, str]] = {
    "message": ONCE,
    # A trigger writes it as the owner.
    "non_delivery": {"app": "SELECT"},
    "approval": ONCE,
    "sender_decision": ONCE,
    "sealing": ONCE,
    # What was sealed stays; its file and its key go when the term is over.
    "message_segment": {"app": "SELECT, INSERT, UPDATE (key_sealed, pruned_at)"},
}

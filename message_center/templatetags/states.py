"""How states look: one table for chips, one order and colour for bars."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

# state -> (icon, colour class, word). Colour is the third signal: the word and the icon come first.
CHIPS: Mapping[str, tuple[str, str, str | Promise]] = {
    "draft": ("pencil", "out", gettext_lazy("Draft")),
    "building": ("loader", "out", gettext_lazy("Building")),
    "ready": ("check", "ok", gettext_lazy("Ready")),
    "in_review": ("eye", "warn", gettext_lazy("In review")),
    "returned": ("arrow-back-up", "warn", gettext_lazy("Returned")),
    "rejected": ("x", "bad", gettext_lazy("Rejected")),
    "approved": ("check", "ok", gettext_lazy("Approved")),
    "scheduled": ("calendar", "", gettext_lazy("Scheduled")),
    "sending": ("player-play", "info", gettext_lazy("Sending")),
    "open": ("bolt", "info", gettext_lazy("Open for triggers")),
    "paused": ("player-pause", "warn", gettext_lazy("Paused")),
    "held": ("hand-stop", "bad", gettext_lazy("Held")),
    "completed": ("circle-check", "ok", gettext_lazy("Completed")),
    "cancelled": ("ban", "", gettext_lazy("Cancelled")),
    "expired": ("clock-x", "", gettext_lazy("Expired")),
    "failed": ("x", "bad", gettext_lazy("Failed")),
    "archived": ("archive", "", gettext_lazy("Archived")),
    "withdrawn": ("arrow-back-up", "", gettext_lazy("Withdrawn")),
    "replaced": ("history", "", gettext_lazy("Replaced")),
    "uploading": ("cloud-upload", "out", gettext_lazy("Uploading")),
    "uploaded": ("file-spreadsheet", "warn", gettext_lazy("Needs columns")),
    "importing": ("loader", "info", gettext_lazy("Importing")),
    "queued": ("clock", "", gettext_lazy("Queued")),
    "suppressed": ("user-off", "", gettext_lazy("Suppressed")),
    "submitted": ("send", "info", gettext_lazy("Accepted")),
    "deferred": ("clock", "warn", gettext_lazy("Deferred")),
    "refused": ("x", "bad", gettext_lazy("Refused")),
    "unknown": ("help-circle", "unk", gettext_lazy("Unknown")),
    "delivered": ("check", "ok", gettext_lazy("Delivered")),
    "undelivered": ("message-off", "bad", gettext_lazy("Not delivered")),
    "no_receipt": ("clock-x", "", gettext_lazy("No receipt")),
    "bound": ("circle-check", "ok", gettext_lazy("Up")),
    "down": ("plug-connected-x", "bad", gettext_lazy("Down")),
    "connecting": ("loader", "warn", gettext_lazy("Connecting")),
    "unbinding": ("loader", "warn", gettext_lazy("Closing")),
    "disabled": ("ban", "", gettext_lazy("Disabled")),
    "suspended": ("hand-stop", "bad", gettext_lazy("Suspended")),
    "active": ("check", "ok", gettext_lazy("Active")),
    "passed": ("check", "ok", gettext_lazy("Passed")),
    "not_tried": ("ban", "", gettext_lazy("Not tried")),
    "denied": ("lock", "bad", gettext_lazy("Denied")),
    "ok": ("check", "ok", gettext_lazy("Done")),
    "unlinked": ("clock", "", gettext_lazy("Not numbered yet")),
}
# The order of the outcome bar and of the ledger: position tells as well as colour.
FILLS: Mapping[str, str] = {
    "delivered": "f-done",
    "submitted": "f-wait",
    "undelivered": "f-fail",
    "no_receipt": "f-supp",
    "refused": "f-refuse",
    "unknown": "f-unk",
    "deferred": "f-defer",
    "sending": "f-acc",
    "suppressed": "f-supp",
    "expired": "f-supp",
    "cancelled": "f-supp",
    "queued": "f-queue",
}

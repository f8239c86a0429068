"""The table of doors: every route and method of the product, and who gets in.

Written by hand. tests/test_doors.py walks the addresses of the product: one that is missing here
fails, and so does a row whose address is gone. A new route needs a row before it can be shipped.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Answer(StrEnum):
    """What the gate does with a caller."""

    IN = "in"  # The view is reached.
    NO = "403"  # A member of the workspace without the permission.
    GONE = "404"  # As if it were not there.
    SIGN_IN = "to sign-in"  # Sent to the page that signs in.
    NO_KEY = "401"  # An API call without a live key.


IN, NO, GONE, SIGN_IN, NO_KEY = Answer

# The columns. In the workspace of the address; a super admin is there by a visit, with a reason.
ROLES = ("viewer", "author", "author_moderator", "moderator", "admin", "super_admin")
SCOPES = (
    *("message.send", "message.see", "campaign.see", "sender.see"),
    *("inbound.see", "inbound.assign"),
)


@dataclass(frozen=True)
class Who:
    """One row's answers: for each of ROLES in its own workspace, then for everybody else."""

    own: tuple[Answer, ...]
    # A super admin who has entered no workspace, or another one: he only looks.
    master: Answer
    # A member of another workspace, whatever his role, and somebody without any.
    foreign: Answer
    stranger: Answer
    anonymous: Answer
    # A live key by its one scope; `dead` is a revoked key, or one whose maker has left.
    keys: Mapping[str, Answer] = field(default_factory=lambda: dict.fromkeys(SCOPES, SIGN_IN))
    dead: Answer = SIGN_IN


def inside(*own: Answer, master: Answer) -> Who:
    """Return the answers of a page of a workspace: it is not there for who is no member."""
    return Who(own, master, foreign=GONE, stranger=GONE, anonymous=SIGN_IN)


def api(*scopes: str) -> Who:
    """Return the answers of the API to keys: these scopes open it. No session counts there."""
    keys = {scope: IN if scope in scopes else NO for scope in SCOPES}
    return Who((NO_KEY,) * 6, NO_KEY, NO_KEY, NO_KEY, NO_KEY, keys, dead=NO_KEY)


#                   viewer author a.+mod. mod. admin super admin
SEE = inside(IN, IN, IN, IN, IN, IN, master=IN)
PROPOSE = inside(NO, IN, IN, IN, IN, IN, master=NO)
WRITE = inside(NO, IN, IN, NO, IN, IN, master=NO)
REVIEW = inside(NO, NO, IN, IN, IN, IN, master=NO)
REVEAL = inside(NO, NO, NO, IN, IN, IN, master=NO)
ADMIN = inside(NO, NO, NO, NO, IN, IN, master=NO)
DELETE = inside(NO, NO, NO, NO, NO, IN, master=NO)
# Authors run their own campaigns, moderators and admins everybody's: the verb tells them apart.
RUN = inside(NO, IN, IN, IN, IN, IN, master=NO)

PLATFORM = Who((GONE, GONE, GONE, GONE, GONE, IN), IN, GONE, GONE, SIGN_IN)
SIGNED_IN = Who((IN,) * 6, IN, IN, IN, SIGN_IN)
PUBLIC = Who((IN,) * 6, IN, IN, IN, IN, dict.fromkeys(SCOPES, IN), dead=IN)

DOORS: tuple[tuple[str, str, Who], ...] = (
    # Sign-in and the own account
    ("workspaces:home", "GET", SIGNED_IN),
    ("workspaces:choose", "GET POST", SIGNED_IN),
    ("workspaces:sign_in", "GET POST", PUBLIC),
    ("workspaces:sign_out", "POST", SIGNED_IN),
    ("workspaces:forgotten", "GET POST", PUBLIC),
    ("workspaces:link_sent", "GET", PUBLIC),
    ("workspaces:reset", "GET POST", PUBLIC),
    ("workspaces:invitation", "GET POST", PUBLIC),
    ("workspaces:open_invitation", "GET", PUBLIC),
    ("workspaces:account", "GET POST", SIGNED_IN),
    ("workspaces:password", "GET POST", SIGNED_IN),
    ("workspaces:sessions", "GET POST", SIGNED_IN),
    # Members, keys and settings of a workspace
    ("workspaces:members", "GET", SEE),
    ("workspaces:invite", "POST", ADMIN),
    ("workspaces:change_role", "POST", ADMIN),
    ("workspaces:remove_member", "GET POST", ADMIN),
    ("workspaces:invite_again", "POST", ADMIN),
    ("workspaces:revoke_invitation", "POST", ADMIN),
    ("workspaces:accept_request", "POST", ADMIN),
    ("workspaces:refuse_request", "POST", ADMIN),
    ("workspaces:keys", "GET", ADMIN),
    ("workspaces:new_key", "GET POST", ADMIN),
    ("workspaces:revoke_key", "GET POST", ADMIN),
    ("workspaces:settings", "GET POST", ADMIN),
    # The audit log
    ("audit:list", "GET", SEE),
    ("audit:entry", "GET", SEE),
    ("evidence:list", "GET POST", ADMIN),
    ("evidence:now", "GET", ADMIN),
    ("evidence:one", "GET", ADMIN),
    ("evidence:release", "POST", ADMIN),
    ("evidence:refuse", "POST", ADMIN),
    ("evidence:file", "POST", ADMIN),
    ("audit:erase", "GET POST", ADMIN),
    # The overview, campaigns and their wizard
    ("campaigns:overview", "GET", SEE),
    ("campaigns:list", "GET", SEE),
    ("campaigns:new", "GET POST", WRITE),
    ("campaigns:edit", "GET POST", WRITE),
    ("campaigns:count", "POST", WRITE),
    ("campaigns:check", "GET", WRITE),
    ("campaigns:build", "POST", WRITE),
    ("campaigns:build_progress", "GET", WRITE),
    ("campaigns:build_stop", "POST", WRITE),
    ("campaigns:submit", "POST", WRITE),
    ("campaigns:withdraw", "POST", WRITE),
    ("campaigns:clone", "POST", WRITE),
    ("campaigns:archive", "POST", WRITE),
    ("campaigns:restore", "POST", WRITE),
    ("campaigns:delete", "GET POST", DELETE),
    # Review
    ("campaigns:review", "GET", SEE),
    ("campaigns:review_item", "GET", SEE),
    ("campaigns:review_decide", "GET POST", REVIEW),
    # A campaign while and after it sends
    ("campaigns:detail", "GET", SEE),
    ("campaigns:detail_now", "GET", SEE),
    ("campaigns:detail_chart", "GET", SEE),
    ("campaigns:start", "GET POST", RUN),
    ("campaigns:pause", "GET POST", RUN),
    ("campaigns:resume", "GET POST", RUN),
    ("campaigns:rate", "GET POST", RUN),
    ("campaigns:cancel", "GET POST", RUN),
    # Messages; numbers are masked, but in an export by those who may reveal
    ("campaigns:messages", "GET POST", SEE),
    ("campaigns:campaign_messages", "GET", SEE),
    ("campaigns:export", "GET POST", SEE),
    ("campaigns:message", "GET", SEE),
    ("campaigns:reveal", "GET POST", REVEAL),
    ("campaigns:evidence", "GET POST", ADMIN),
    ("campaigns:evidence_take", "GET POST", ADMIN),
    # What is unknown, and what settles it: two people send again, call records are imported
    ("campaigns:unknowns", "GET", SEE),
    ("campaigns:unknowns_export", "POST", SEE),
    ("campaigns:records_new", "GET POST", REVEAL),
    ("campaigns:records", "GET POST", REVEAL),
    ("campaigns:records_left", "POST", REVEAL),
    ("campaigns:resend_new", "GET POST", RUN),
    ("campaigns:resend", "GET", SEE),
    ("campaigns:resend_decide", "POST", REVIEW),
    ("campaigns:attach_receipt", "POST", REVEAL),
    # Recipient lists
    ("campaigns:lists", "GET", SEE),
    ("campaigns:list_new", "GET POST", WRITE),
    ("campaigns:list_start", "POST", WRITE),
    ("campaigns:list_page", "GET", SEE),
    ("campaigns:list_file", "GET PUT", WRITE),
    ("campaigns:list_finish", "POST", WRITE),
    ("campaigns:list_discard", "POST", WRITE),
    ("campaigns:list_columns", "GET POST", WRITE),
    ("campaigns:list_waterfall", "GET", SEE),
    ("campaigns:list_progress", "GET", SEE),
    ("campaigns:list_keep", "POST", WRITE),
    ("campaigns:list_rejects", "POST", WRITE),
    # Sender names
    ("campaigns:senders", "GET", SEE),
    ("campaigns:sender_new", "GET POST", ADMIN),
    ("campaigns:sender_preview", "POST", PROPOSE),
    ("campaigns:sender", "GET", SEE),
    ("campaigns:sender_revision", "GET", SEE),
    ("campaigns:sender_propose", "GET POST", PROPOSE),
    ("campaigns:sender_decide", "GET POST", REVIEW),
    ("campaigns:sender_withdraw", "GET POST", PROPOSE),
    ("campaigns:sender_archive", "GET POST", ADMIN),
    ("campaigns:sender_restore", "GET POST", ADMIN),
    # Opt-outs
    ("campaigns:opt_outs", "GET", SEE),
    ("campaigns:opt_out_find", "GET POST", SEE),
    ("campaigns:opt_out_add", "GET POST", PROPOSE),
    ("campaigns:opt_out_import", "GET POST", PROPOSE),
    ("campaigns:opt_out_lift", "GET POST", PROPOSE),
    # What subscribers write, and the words by which they stop
    ("campaigns:replies", "GET", SEE),
    ("campaigns:reply_find", "GET POST", SEE),
    ("campaigns:replies_export", "GET POST", SEE),
    ("campaigns:reply", "GET", SEE),
    ("campaigns:reply_reveal", "GET POST", REVEAL),
    ("campaigns:reply_opt_out", "GET POST", PROPOSE),
    ("campaigns:reply_assign", "GET POST", PROPOSE),
    ("campaigns:stop_words", "GET", SEE),
    ("campaigns:stop_words", "POST", ADMIN),
    ("campaigns:stop_word_remove", "GET POST", ADMIN),
    # The platform
    ("platform:overview", "GET", PLATFORM),
    ("platform:workspaces", "GET", PLATFORM),
    ("platform:new_workspace", "GET POST", PLATFORM),
    ("platform:weight", "GET POST", PLATFORM),
    ("platform:suspend", "GET POST", PLATFORM),
    ("platform:resume", "POST", PLATFORM),
    ("platform:enter", "GET POST", PLATFORM),
    ("platform:leave", "POST", PLATFORM),
    ("platform:users", "GET", PLATFORM),
    ("platform:new_user", "GET POST", PLATFORM),
    ("platform:send_link", "POST", PLATFORM),
    ("platform:disable_user", "GET POST", PLATFORM),
    ("platform:enable_user", "POST", PLATFORM),
    ("platform:super_admin", "GET POST", PLATFORM),
    ("platform:senders", "GET POST", PLATFORM),
    ("platform:lift_protection", "GET POST", PLATFORM),
    ("platform:connections", "GET", PLATFORM),
    ("platform:connection_new", "GET POST", PLATFORM),
    ("platform:connection", "GET", PLATFORM),
    ("platform:connection_edit", "GET POST", PLATFORM),
    ("platform:connection_change_make", "POST", PLATFORM),
    ("platform:connection_change_drop", "POST", PLATFORM),
    ("platform:connection_check", "POST", PLATFORM),
    ("platform:connection_report_new", "GET POST", PLATFORM),
    ("platform:connection_report", "GET", PLATFORM),
    ("platform:connection_report_file", "GET", PLATFORM),
    ("platform:connection_disable", "GET POST", PLATFORM),
    ("platform:connection_enable", "GET POST", PLATFORM),
    ("platform:routes", "GET", PLATFORM),
    ("platform:route_new", "GET POST", PLATFORM),
    ("platform:route", "GET POST", PLATFORM),
    ("platform:range_add", "POST", PLATFORM),
    ("platform:range_remove", "POST", PLATFORM),
    ("platform:shift", "POST", PLATFORM),
    ("platform:shift_stop", "POST", PLATFORM),
    ("platform:shift_undo", "POST", PLATFORM),
    ("platform:route_grant", "POST", PLATFORM),
    ("platform:route_revoke", "GET POST", PLATFORM),
    ("platform:inbound", "GET", PLATFORM),
    ("platform:stop_words", "GET POST", PLATFORM),
    ("platform:stop_word_remove", "GET POST", PLATFORM),
    ("platform:campaigns", "GET", PLATFORM),
    ("platform:unknowns", "GET", PLATFORM),
    ("platform:diagnostics", "GET", PLATFORM),
    ("platform:audit", "GET", PLATFORM),
    ("platform:audit_entry", "GET", PLATFORM),
    ("platform:audit_erase", "GET POST", PLATFORM),
    # The API
    ("api:messages", "GET", api("message.see")),
    ("api:messages", "POST", api("message.send")),
    ("api:message", "GET", api("message.see")),
    ("api:campaigns", "GET", api("campaign.see")),
    ("api:campaign", "GET", api("campaign.see")),
    ("api:senders", "GET", api("sender.see")),
    ("api:unknowns", "GET", api("message.see")),
    ("api:inbound_list", "GET", api("inbound.see")),
    ("api:inbound", "GET", api("inbound.see")),
    ("api:inbound_assigned", "PUT", api("inbound.assign")),
    # Only a super admin's key has its scope, which is none of these.
    ("api:diagnostics", "GET", api()),
    ("api:me", "GET", api(*SCOPES)),
    ("api:openapi", "GET", PUBLIC),
    # Everywhere
    ("theme", "POST", SIGNED_IN),
    ("health:live", "GET", PUBLIC),
    ("health:ready", "GET", PUBLIC),
    ("health:audit", "GET", PUBLIC),
)

# The browser test that looks at each page, on a desk and on a phone. Every GET of DOORS is named
# once, here or below; tests/test_doors.py counts.
LOOKED_AT: Mapping[str, tuple[str, ...]] = {
    "tests/audit/test_export_browser.py": ("evidence:list",),
    "tests/audit/test_log_in_browser.py": ("audit:list", "audit:entry", "audit:erase"),
    "tests/campaigns/evidence/test_in_browser.py": ("campaigns:evidence",),
    "tests/campaigns/test_lists_in_browser.py": (
        *("campaigns:lists", "campaigns:list_new", "campaigns:list_page"),
        *("campaigns:list_columns", "campaigns:opt_outs", "campaigns:opt_out_add"),
        "campaigns:opt_out_import",
    ),
    "tests/campaigns/test_live_browser.py": (
        *("campaigns:detail", "campaigns:rate", "campaigns:cancel"),
        *("campaigns:campaign_messages", "campaigns:message"),
        *("platform:campaigns", "platform:diagnostics"),
    ),
    "tests/campaigns/test_replies_in_browser.py": (
        *("campaigns:replies", "campaigns:reply", "campaigns:stop_words"),
        *("campaigns:stop_word_remove", "platform:inbound", "platform:stop_words"),
    ),
    "tests/campaigns/test_senders_in_browser.py": (
        *("campaigns:senders", "campaigns:sender_new", "campaigns:sender"),
        *("campaigns:sender_revision", "campaigns:sender_propose", "campaigns:sender_decide"),
        *("campaigns:sender_archive", "platform:senders", "platform:lift_protection"),
    ),
    "tests/campaigns/test_wizard_browser.py": (
        *("campaigns:overview", "campaigns:list", "campaigns:new", "campaigns:edit"),
        *("campaigns:check", "campaigns:review", "campaigns:review_item"),
        "campaigns:review_decide",
    ),
    "tests/smpp_client/test_connections_in_browser.py": (
        *("platform:connections", "platform:connection_new", "platform:connection"),
        *("platform:connection_edit", "platform:connection_disable", "platform:weight"),
        *("platform:routes", "platform:route_new", "platform:route", "platform:route_revoke"),
    ),
    "tests/smpp_client/test_reports_in_browser.py": (
        "platform:connection_report_new",
        "platform:connection_report",
    ),
    "tests/test_pages_in_browser.py": (
        *("workspaces:reset", "evidence:one", "campaigns:messages", "campaigns:reveal"),
        *("campaigns:export", "campaigns:reply_assign", "campaigns:reply_opt_out"),
        *("campaigns:start", "campaigns:pause", "campaigns:resume", "campaigns:delete"),
        *("campaigns:unknowns", "campaigns:records_new", "campaigns:records"),
        *("campaigns:resend_new", "campaigns:resend"),
        *("campaigns:sender_withdraw", "campaigns:sender_restore"),
        *("campaigns:opt_out_find", "campaigns:opt_out_lift"),
        *("campaigns:reply_find", "campaigns:reply_reveal"),
        *("platform:unknowns", "platform:stop_word_remove", "platform:connection_enable"),
        *("platform:audit", "platform:audit_entry", "platform:audit_erase"),
    ),
    "tests/workspaces/test_in_browser.py": (
        *("workspaces:choose", "workspaces:sign_in", "workspaces:forgotten"),
        *("workspaces:link_sent", "workspaces:invitation", "workspaces:account"),
        *("workspaces:password", "workspaces:sessions", "workspaces:members"),
        *("workspaces:remove_member", "workspaces:keys", "workspaces:new_key"),
        *("workspaces:revoke_key", "workspaces:settings", "platform:overview"),
        *("platform:workspaces", "platform:new_workspace", "platform:suspend"),
        *("platform:enter", "platform:users", "platform:new_user"),
        *("platform:disable_user", "platform:super_admin"),
    ),
}
# What is no page: the API, redirects, files, numbers for a script, parts of a page that stands
# above. A test opens each and finds no page.
NO_PAGE = (
    *("workspaces:home", "workspaces:open_invitation", "evidence:now"),
    *("campaigns:build_progress", "campaigns:detail_now", "campaigns:detail_chart"),
    *("campaigns:evidence_take", "campaigns:list_file", "campaigns:list_waterfall"),
    *("campaigns:list_progress", "campaigns:replies_export", "platform:connection_report_file"),
    *("api:messages", "api:message", "api:campaigns", "api:campaign", "api:senders"),
    *("api:unknowns", "api:inbound_list", "api:inbound", "api:diagnostics", "api:me"),
    *("api:openapi", "health:live", "health:ready", "health:audit"),
)

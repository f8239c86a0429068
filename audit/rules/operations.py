"""The published dictionary of operations: what an entry's `op` means, in the words of the page.

Each operation has the sentence of what was done, and of what was tried for attempts that did not
succeed.
"""

from collections.abc import Mapping
from typing import NamedTuple


def gettext_noop(text: str) -> str:
    """Mark a sentence for translation; the page translates it."""
    return text


_ = gettext_noop


class Operation(NamedTuple):
    """What happened, and the same as an attempt that did not succeed."""

    did: str
    tried: str


OPERATIONS: Mapping[str, Operation] = {
    "install.create": Operation(
        _("Set up the installation"), _("Tried to set up the installation")
    ),
    "restore.ask": Operation(
        _("Asked to go on after a restore"), _("Tried to ask to go on after a restore")
    ),
    "restore.confirm": Operation(
        _("Confirmed how to go on after a restore"),
        _("Tried to confirm how to go on after a restore"),
    ),
    "campaign.doubt": Operation(
        _("Counted as unknown what may have been sent before a restore"),
        _("Tried to count as unknown what may have been sent before a restore"),
    ),
    "workspace.create": Operation(_("Created a workspace"), _("Tried to create a workspace")),
    "workspace.weigh": Operation(
        _("Set a workspace's weight"), _("Tried to set a workspace's weight")
    ),
    "workspace.suspend": Operation(
        _("Suspended the workspace"), _("Tried to suspend the workspace")
    ),
    "workspace.resume": Operation(_("Resumed the workspace"), _("Tried to resume the workspace")),
    "workspace.enter": Operation(_("Entered the workspace"), _("Tried to enter the workspace")),
    "workspace.edit": Operation(
        _("Changed the workspace's settings"), _("Tried to change the workspace's settings")
    ),
    "workspace.look": Operation(
        _("Looked into the workspace without being a member"),
        _("Tried to look into the workspace"),
    ),
    "workspace.leave": Operation(_("Left the workspace"), _("Tried to leave the workspace")),
    "user.create": Operation(_("Created an account"), _("Tried to create an account")),
    "user.rename": Operation(_("Changed a name"), _("Tried to change a name")),
    "user.disable": Operation(_("Disabled an account"), _("Tried to disable an account")),
    "user.enable": Operation(_("Enabled an account"), _("Tried to enable an account")),
    "user.sign_in": Operation(_("Signed in"), _("Tried to sign in")),
    "user.sign_out": Operation(_("Signed out"), _("Tried to sign out")),
    "user.sign_in_failed": Operation(_("Sign-in failed"), _("Sign-in failed")),
    "user.locked_out": Operation(_("Sign-in was locked"), _("Sign-in was locked")),
    "user.password_reset": Operation(_("Reset a password"), _("Tried to reset a password")),
    "user.password_change": Operation(_("Changed the password"), _("Tried to change the password")),
    "user.password_rehash": Operation(
        _("Hashed a password by today's method"), _("Tried to hash a password anew")
    ),
    "user.changed_outside": Operation(
        _("Changed an account around the product"),
        _("Tried to change an account around the product"),
    ),
    "access.denied": Operation(_("Was refused"), _("Was refused")),
    "access.failed": Operation(
        _("Was refused because the database did not answer"),
        _("Was refused because the database did not answer"),
    ),
    "member.add": Operation(_("Added a member"), _("Tried to add a member")),
    "member.remove": Operation(_("Removed a member"), _("Tried to remove a member")),
    "member.changed_outside": Operation(
        _("Changed a member around the product"), _("Tried to change a member around the product")
    ),
    "role.grant": Operation(_("Changed a role"), _("Tried to change a role")),
    "invitation.create": Operation(_("Invited a person"), _("Tried to invite a person")),
    "invitation.revoke": Operation(_("Revoked an invitation"), _("Tried to revoke an invitation")),
    "invitation.accept": Operation(_("Accepted an invitation"), _("Tried to accept an invitation")),
    "join.request": Operation(_("Asked to join"), _("Tried to ask to join")),
    "join.accept": Operation(_("Let a person join"), _("Tried to let a person join")),
    "join.refuse": Operation(
        _("Refused a request to join"), _("Tried to refuse a request to join")
    ),
    "key.create": Operation(_("Created an API key"), _("Tried to create an API key")),
    "key.revoke": Operation(_("Revoked an API key"), _("Tried to revoke an API key")),
    "key.changed_outside": Operation(
        _("Changed an API key around the product"),
        _("Tried to change an API key around the product"),
    ),
    "sender.create": Operation(_("Created a sender name"), _("Tried to create a sender name")),
    "sender.propose": Operation(
        _("Proposed a sender revision"), _("Tried to propose a sender revision")
    ),
    "sender.approve": Operation(
        _("Approved a sender revision"), _("Tried to approve a sender revision")
    ),
    "sender.reject": Operation(
        _("Rejected a sender revision"), _("Tried to reject a sender revision")
    ),
    "sender.withdraw": Operation(
        _("Withdrew a sender revision"), _("Tried to withdraw a sender revision")
    ),
    "sender.archive": Operation(_("Archived a sender name"), _("Tried to archive a sender name")),
    "sender.restore": Operation(_("Restored a sender name"), _("Tried to restore a sender name")),
    "sender.changed_outside": Operation(
        _("Changed a sender name around the product"),
        _("Tried to change a sender name around the product"),
    ),
    "protected_name.add": Operation(_("Protected a name"), _("Tried to protect a name")),
    "protected_name.remove": Operation(
        _("Lifted the protection of a name"), _("Tried to lift the protection of a name")
    ),
    "list.upload": Operation(_("Uploaded a recipient list"), _("Tried to upload a recipient list")),
    "list.import": Operation(_("Started an import of recipients"), _("Tried to import recipients")),
    "list.ready": Operation(_("Recipient list is ready"), _("Recipient list is not ready")),
    "list.fail": Operation(_("Recipient list failed"), _("Recipient list failed")),
    "list.archive": Operation(
        _("Archived a recipient list"), _("Tried to archive a recipient list")
    ),
    "list.restore": Operation(
        _("Restored a recipient list"), _("Tried to restore a recipient list")
    ),
    "list.delete": Operation(_("Deleted a recipient list"), _("Tried to delete a recipient list")),
    "campaign.create": Operation(_("Created a campaign"), _("Tried to create a campaign")),
    "campaign.edit": Operation(_("Changed a draft"), _("Tried to change a draft")),
    "campaign.build": Operation(
        _("Built the audience of a campaign"), _("Tried to build the audience of a campaign")
    ),
    "campaign.freeze": Operation(
        _("Froze the audience of a campaign"), _("Tried to freeze the audience of a campaign")
    ),
    "campaign.submit": Operation(
        _("Submitted a campaign for approval"), _("Tried to submit a campaign for approval")
    ),
    "campaign.withdraw": Operation(
        _("Withdrew a campaign from review"), _("Tried to withdraw a campaign from review")
    ),
    "campaign.approve": Operation(_("Approved a campaign"), _("Tried to approve a campaign")),
    "campaign.return": Operation(_("Returned a campaign"), _("Tried to return a campaign")),
    "campaign.reject": Operation(_("Rejected a campaign"), _("Tried to reject a campaign")),
    "campaign.schedule": Operation(_("Scheduled a campaign"), _("Tried to schedule a campaign")),
    "campaign.start": Operation(_("Started a campaign"), _("Tried to start a campaign")),
    "campaign.pause": Operation(_("Paused a campaign"), _("Tried to pause a campaign")),
    "campaign.resume": Operation(_("Resumed a campaign"), _("Tried to resume a campaign")),
    "campaign.hold": Operation(_("Campaign was held"), _("Tried to hold a campaign")),
    "campaign.release": Operation(
        _("Released a held campaign"), _("Tried to release a held campaign")
    ),
    "campaign.rate": Operation(
        _("Changed the rate of a campaign"), _("Tried to change the rate of a campaign")
    ),
    "campaign.cancel": Operation(_("Cancelled a campaign"), _("Tried to cancel a campaign")),
    "campaign.expire": Operation(_("Campaign expired"), _("Tried to expire a campaign")),
    "campaign.complete": Operation(_("Campaign completed"), _("Tried to complete a campaign")),
    "campaign.fail": Operation(_("Campaign failed"), _("Campaign failed")),
    "campaign.clone": Operation(_("Copied a campaign"), _("Tried to copy a campaign")),
    "campaign.archive": Operation(_("Archived a campaign"), _("Tried to archive a campaign")),
    "campaign.restore": Operation(_("Restored a campaign"), _("Tried to restore a campaign")),
    "campaign.delete": Operation(_("Deleted a campaign"), _("Tried to delete a campaign")),
    "approval.changed_outside": Operation(
        _("Changed an approval around the product"),
        _("Tried to change an approval around the product"),
    ),
    "resend.request": Operation(
        _("Asked to send unknown messages again"), _("Tried to ask for unknown messages again")
    ),
    "resend.approve": Operation(
        _("Let unknown messages go out again"), _("Tried to let unknown messages go out again")
    ),
    "resend.refuse": Operation(
        _("Left unknown messages as they are"), _("Tried to leave unknown messages as they are")
    ),
    "records.upload": Operation(_("Uploaded call records"), _("Tried to upload call records")),
    "records.import": Operation(_("Imported call records"), _("Tried to import call records")),
    "records.settle": Operation(
        _("Call records settled unknown messages"), _("Call records settled nothing")
    ),
    "records.take": Operation(
        _("Took the call records that settled nothing"), _("Tried to take call records")
    ),
    "receipt.attach": Operation(
        _("Said which receipt belongs to a message"), _("Tried to attach a receipt")
    ),
    "message.push": Operation(_("Pushed messages"), _("Tried to push messages")),
    "optout.add": Operation(_("Added an opt-out"), _("Tried to add an opt-out")),
    "optout.import": Operation(_("Imported opt-outs"), _("Tried to import opt-outs")),
    "optout.lift": Operation(_("Lifted an opt-out"), _("Tried to lift an opt-out")),
    "optout.changed_outside": Operation(
        _("Changed opt-outs around the product"), _("Tried to change opt-outs around the product")
    ),
    "stop_word.add": Operation(_("Added a STOP word"), _("Tried to add a STOP word")),
    "stop_word.remove": Operation(_("Took a STOP word away"), _("Tried to take a STOP word away")),
    "reply.assign": Operation(
        _("Said who looks after a reply"), _("Tried to say who looks after a reply")
    ),
    "replies.export": Operation(_("Exported replies"), _("Tried to export replies")),
    "replies.erase": Operation(
        _("Erased replies whose time is over"), _("Tried to erase replies whose time is over")
    ),
    "number.reveal": Operation(_("Saw full phone numbers"), _("Tried to see full phone numbers")),
    "number.erase": Operation(
        _("Erased a subscriber's number"), _("Tried to erase a subscriber's number")
    ),
    "messages.export": Operation(_("Exported messages"), _("Tried to export messages")),
    "messages.sealed": Operation(
        _("Sealed what became of messages"), _("Tried to seal what became of messages")
    ),
    "messages.late": Operation(
        _("Sealed what became of messages"),
        _("What became of messages has not been sealed for too long"),
    ),
    "messages.prune": Operation(
        _("Removed sealed messages whose term is over"), _("Tried to remove sealed messages")
    ),
    "messages.find": Operation(
        _("Looked for messages to a number"), _("Tried to look for messages to a number")
    ),
    "messages.evidence": Operation(
        _("Took the evidence for one message"), _("Tried to take the evidence for one message")
    ),
    "connection.add": Operation(_("Added a connection"), _("Tried to add a connection")),
    "connection.edit": Operation(_("Changed a connection"), _("Tried to change a connection")),
    "connection.disable": Operation(_("Disabled a connection"), _("Tried to disable a connection")),
    "connection.enable": Operation(_("Enabled a connection"), _("Tried to enable a connection")),
    "connection.ask": Operation(
        _("Asked for other TLS settings of a connection"),
        _("Tried to ask for other TLS settings of a connection"),
    ),
    "connection.drop": Operation(
        _("Dropped a change of a connection"), _("Tried to drop a change of a connection")
    ),
    "connection.check": Operation(_("Checked a connection"), _("Tried to check a connection")),
    "connection.changed_outside": Operation(
        _("Changed a connection around the product"),
        _("Tried to change a connection around the product"),
    ),
    "route.create": Operation(_("Created a route"), _("Tried to create a route")),
    "route.edit": Operation(_("Changed a route"), _("Tried to change a route")),
    "route.range_add": Operation(
        _("Gave a connection a range of numbers"),
        _("Tried to give a connection a range of numbers"),
    ),
    "route.range_remove": Operation(
        _("Took a range of numbers from a connection"),
        _("Tried to take a range of numbers from a connection"),
    ),
    "route.shift": Operation(
        _("Planned a shift of traffic"), _("Tried to plan a shift of traffic")
    ),
    "route.shift_step": Operation(
        _("Shifted traffic by a step"), _("Tried to shift traffic by a step")
    ),
    "route.shift_stop": Operation(
        _("Stopped a shift of traffic"), _("Tried to stop a shift of traffic")
    ),
    "route.shift_undo": Operation(
        _("Undid a shift of traffic"), _("Tried to undo a shift of traffic")
    ),
    "route.grant": Operation(
        _("Let a workspace use a route"), _("Tried to let a workspace use a route")
    ),
    "route.revoke": Operation(
        _("Took a route from a workspace"), _("Tried to take a route from a workspace")
    ),
    "route.changed_outside": Operation(
        _("Changed a route around the product"), _("Tried to change a route around the product")
    ),
    "certificate.swap": Operation(_("Took new certificates"), _("Tried to take new certificates")),
    "certificate.refuse": Operation(_("Refused new certificates"), _("Refused new certificates")),
    "certificate.expire": Operation(
        _("Told that a certificate ends"), _("Tried to tell that a certificate ends")
    ),
    "anchor.receipt": Operation(
        _("Placed a checkpoint outside"), _("Tried to place a checkpoint outside")
    ),
    "anchor.refused": Operation(
        _("Placed a checkpoint outside"), _("A checkpoint was refused outside")
    ),
    "anchor.late": Operation(
        _("Placed a checkpoint outside"), _("No checkpoint has been placed outside for too long")
    ),
    "checkpoint.late": Operation(
        _("Signed a checkpoint"), _("No checkpoint has been signed for too long")
    ),
    "log_key.publish": Operation(_("Published the log's key"), _("Tried to publish the log's key")),
    "log_key.rotate": Operation(
        _("Replaced the log's signing key"), _("Tried to replace the log's signing key")
    ),
    "log_key.lost": Operation(
        _("Declared the log's signing key lost and went on with a new one"),
        _("Tried to declare the log's signing key lost"),
    ),
    "audit.verify": Operation(_("Verified the audit log"), _("The audit log did not verify")),
    "audit.late": Operation(
        _("Verified the audit log"), _("The audit log has not been verified for too long")
    ),
    "clock.step": Operation(_("The clock stepped"), _("The clock stepped")),
    "sequencer.start": Operation(_("The audit sequencer started"), _("The audit sequencer failed")),
    "process.start": Operation(_("A program started"), _("A program did not start")),
    "process.stop": Operation(_("A program stopped"), _("A program did not stop")),
    "fallback.ingested": Operation(
        _("Took entries from a fallback file"), _("Refused a fallback file")
    ),
    "fallback.wrote": Operation(
        _("Wrote entries to a fallback file"), _("Could not write to a fallback file")
    ),
    "gap.declared": Operation(_("Declared a gap in the log"), _("Tried to declare a gap")),
    "pd.erase": Operation(_("Erased personal values"), _("Tried to erase personal values")),
    "retention.prune": Operation(
        _("Removed entries whose term is over"), _("Tried to remove entries whose term is over")
    ),
    "export.create": Operation(_("Asked for evidence"), _("Tried to ask for evidence")),
    "export.approve": Operation(
        _("Released evidence with personal values"),
        _("Tried to release evidence with personal values"),
    ),
    "export.refuse": Operation(
        _("Refused evidence with personal values"),
        _("Tried to refuse evidence with personal values"),
    ),
    "export.ready": Operation(_("Wrote evidence"), _("Could not write evidence")),
    "export.download": Operation(_("Took evidence away"), _("Tried to take evidence away")),
    "export.expire": Operation(_("Deleted old evidence"), _("Tried to delete old evidence")),
}

# After these an epoch is fixed at once: who may rewrite most must be pinned down soonest, and a
# message's evidence must not wait for another hour once its outcomes are sealed.
_PRIVILEGED = (
    "role.grant",
    "member.",
    "key.",
    "log_key.",
    "restore.",
    "export.create",
    "export.approve",
    "workspace.create",
    "messages.sealed",
    "pd.erase",
    "number.erase",
    "retention.prune",
    "gap.declared",
)
# What a change that came around every verb is recorded as.
OUTSIDE = ".changed_outside"


class UnknownOperation(ValueError):
    """An operation that the published dictionary does not hold."""


def operation(op: str) -> Operation:
    """Return the sentences of an operation; raise UnknownOperation."""
    try:
        return OPERATIONS[op]
    except KeyError:
        raise UnknownOperation(f"{op!r} is not in the dictionary of operations.") from None


def is_privileged(op: str) -> bool:
    """Say whether an epoch must follow this operation at once."""
    return op.startswith(_PRIVILEGED) or op.endswith(OUTSIDE)

"""Somebody's mailbox: a regulator's, an auditor's, a notary's."""

import smtplib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from email.utils import make_msgid

from django.core.mail import EmailMessage
from django.utils.translation import gettext as _

from audit.rules.anchoring import AnchorRefused, Given, Last, SignedCheckpoint, Unreachable


@dataclass(frozen=True)
class MailAnchor:
    """Sends the checkpoint to these addresses, as text and as a file; the receipt is Message-ID."""

    addresses: Sequence[str]
    period: timedelta
    name: str = "mail"
    kind: str = "mail"

    def send(self, checkpoint: SignedCheckpoint, last: Last | None) -> Given:
        """Hand the mail to the mail server; raise AnchorRefused or Unreachable."""
        message_id = make_msgid("checkpoint")
        origin = checkpoint.note.partition("\n")[0]
        mail = EmailMessage(
            _("Checkpoint %(n)s of %(origin)s") % {"n": checkpoint.epoch, "origin": origin},
            _(
                "Keep this mail. It proves later that the audit log up to here was not rewritten.\n"
                "To compare evidence with it, save the attached file and give it to the verifier "
                "as --held.\n\n%(note)s"
            )
            % {"note": checkpoint.note},
            to=list(self.addresses),
            headers={"Message-ID": message_id},
        )
        mail.attach(
            f"{checkpoint.epoch}.note", checkpoint.note.encode(), "application/octet-stream"
        )
        try:
            mail.send()
        except smtplib.SMTPRecipientsRefused as refusal:
            codes = sorted({str(code) for code, _said in refusal.recipients.values()})
            raise AnchorRefused(
                f"The mail server refused every recipient (SMTP {', '.join(codes)})."
            ) from refusal
        except smtplib.SMTPSenderRefused as refusal:
            raise AnchorRefused(
                f"The mail server refused the sender (SMTP {refusal.smtp_code})."
            ) from refusal
        except (OSError, smtplib.SMTPException) as failure:
            raise Unreachable(f"The mail was not taken: {_trouble(failure)}.") from failure
        return Given(f"{message_id}\n".encode())


def _trouble(failure: Exception) -> str:
    """Name a failure without the server's own words: they repeat addresses."""
    if isinstance(failure, smtplib.SMTPResponseException):
        return f"SMTP {failure.smtp_code}"
    if isinstance(failure, OSError) and failure.strerror:
        return failure.strerror
    return type(failure).__name__

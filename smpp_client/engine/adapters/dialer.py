"""Opens lines of a custom carrier."""

from datetime import datetime

from django.utils.translation import gettext as _

from smpp_client.carrier.adapters import CarrierSettings
from smpp_client.engine.accounts import Account
from smpp_client.engine.adapters.line import AdapterLine
from smpp_client.engine.dialer import NoSession
from smpp_client.engine.guarded import Deadline
from smpp_client.engine.wire import OnEvent
from smpp_client.queries.carriers import has_carrier

# A call into a carrier that takes longer than this, or than the connection's enquire_seconds if
# they are fewer, counts as hanging.
CALL_SECONDS = 10.0


class AdapterDialer:
    """Starts a carrier's process for each session. Its certificates are its own matter."""

    certificate_ends_at: datetime | None = None

    def __init__(self, account: Account) -> None:
        self._account = account

    def look_at_certificates(self) -> str:
        """Return "": the carrier reads its files itself."""
        return ""

    async def dial(self, on_event: OnEvent, deadline: Deadline) -> AdapterLine:
        """Start a process and tell it to open. Raises NoSession."""
        account = self._account
        if not has_carrier(account.carrier):
            raise NoSession(
                "refused", _("No carrier “%(name)s” is installed.") % {"name": account.carrier}
            )
        session = account.session
        line = AdapterLine(
            account.carrier,
            settings_for(account),
            on_event,
            deadline,
            call_seconds=min(CALL_SECONDS, session.enquire_interval),
            response_seconds=session.response_timeout,
        )
        try:
            await line.start()
        except OSError as error:
            why = _("The carrier's process does not start: %(why)s.") % {"why": error.strerror}
            raise NoSession("refused", why) from error
        return line


def settings_for(account: Account) -> CarrierSettings:
    """Return what the carrier of a connection is told."""
    return CarrierSettings(
        connection=account.name,
        host=account.host,
        port=account.port,
        account=account.session.system_id,
        secret=account.session.password,
        rate=account.rate,
        window=account.window,
        server_name=account.server_name,
        ca_file=account.files.ca,
        cert_file=account.files.cert,
        key_file=account.files.key,
        options=dict(account.carrier_settings),
    )

"""The product's rows: senders, recipients, campaigns, messages."""

from campaigns.models.campaigns import (
    ApiMessage,
    Approval,
    Campaign,
    Mode,
    Priority,
    Progress,
    StartBy,
    Verdict,
)
from campaigns.models.evidence import MessageSegment, Sealing
from campaigns.models.inbound import (
    InboundMessage,
    StopWord,
    WordKind,
    WorkspaceStopWord,
)
from campaigns.models.recipients import (
    ListState,
    OptOut,
    Recipient,
    RecipientFault,
    RecipientList,
)
from campaigns.models.senders import (
    Category,
    ProtectedName,
    RevisionState,
    Sender,
    SenderDecision,
    SenderRevision,
)
from campaigns.models.sending import (
    Batch,
    Message,
    NonDelivery,
    QueuedSegment,
    RateSample,
    Receipt,
    ReceiptsAwaited,
    Submission,
)
from campaigns.models.unknowns import (
    CallRecord,
    CallRecordImport,
    RecordsState,
    ResendDecision,
    ResendState,
)

__all__ = [
    "ApiMessage",
    "Approval",
    "Batch",
    "CallRecord",
    "CallRecordImport",
    "Campaign",
    "Category",
    "InboundMessage",
    "ListState",
    "Message",
    "MessageSegment",
    "Mode",
    "NonDelivery",
    "OptOut",
    "Priority",
    "Progress",
    "ProtectedName",
    "QueuedSegment",
    "RateSample",
    "Receipt",
    "ReceiptsAwaited",
    "Recipient",
    "RecipientFault",
    "RecipientList",
    "RecordsState",
    "ResendDecision",
    "ResendState",
    "RevisionState",
    "Sealing",
    "Sender",
    "SenderDecision",
    "SenderRevision",
    "StartBy",
    "StopWord",
    "Submission",
    "Verdict",
    "WordKind",
    "WorkspaceStopWord",
]

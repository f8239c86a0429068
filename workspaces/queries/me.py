"""Who is calling, as the gate found out: the one value that doors hand to verbs and questions."""

from dataclasses import dataclass, field
from datetime import datetime

from audit.rules.events import Actor
from workspaces.models import ApiKey, User, Workspace
from workspaces.rules.permissions import Role


@dataclass(frozen=True)
class Me:
    """The caller of one request. `workspace` and `role` are None outside a workspace; `key` is set
    for API calls.

    `is_master` marks a super admin who reads a workspace without having entered it;
    `visit_ends_at` says until when one who has entered it acts there. `places` are the workspaces
    that the caller may switch to, for pages.
    """

    user: User
    workspace: Workspace | None = None
    role: Role | None = None
    permissions: frozenset[str] = field(default_factory=frozenset)
    key: ApiKey | None = None
    is_master: bool = False
    visit_ends_at: datetime | None = None
    request_id: str = ""
    session_id: str = ""
    places: tuple[Workspace, ...] = ()

    @property
    def person_id(self) -> int:
        """The natural person behind the account: what four eyes compares."""
        return self.user.person_id

    @property
    def here(self) -> Workspace:
        """The workspace of this request; raises RuntimeError outside of one."""
        if self.workspace is None:
            raise RuntimeError("This needs a workspace, and the request has none.")
        return self.workspace

    @property
    def actor(self) -> Actor:
        """The caller as the audit log names him: opaque ids, never a name."""
        if self.key is not None:
            return Actor(kind="api", id=f"key_{self.key.pk}", session_id=f"usr_{self.user.pk}")
        return Actor(kind="user", id=f"usr_{self.user.pk}", session_id=self.session_id)

    def may(self, permission: str) -> bool:
        """Whether the caller has this permission here."""
        return permission in self.permissions

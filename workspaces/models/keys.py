"""API keys and the answers they got."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from workspaces.models.people import User
from workspaces.models.workspaces import Workspace


class ApiKey(models.Model):
    """A key of one workspace: `mc_<prefix>.<secret>`, shown once. It acts for the person who made
    it, with that person's rights.

    `secret_hash` is the SHA-256 of the secret (256 random bits), hex. `scopes` are names of
    workspaces.rules.permissions.SCOPES.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="api_keys")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=16, unique=True)
    secret_hash = models.CharField(max_length=64)
    scopes = ArrayField(models.CharField(max_length=40))
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="api_keys")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "api_key"


class IdempotentRequest(models.Model):
    """The answer to a create call, stored in the transaction that did it: the same key gives the
    same answer.

    `body_hash` is an HMAC, by our key, of the canonical body's SHA-256; another body under the same
    key is refused (422).
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+")
    api_key = models.ForeignKey(ApiKey, on_delete=models.PROTECT, related_name="+")
    route = models.CharField(max_length=80)
    key = models.CharField(max_length=255)
    body_hash = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    answer = models.JSONField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "idempotent_request"
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "api_key", "route", "key"], name="idempotent_request_once"
            )
        ]
        indexes = [models.Index(fields=["created_at"], name="idempotent_request_age")]

"""Exports of evidence that people ask for; each workspace sees its own."""

from django.db import migrations, models

SCOPE = """
ALTER TABLE audit_export ENABLE ROW LEVEL SECURITY;
CREATE POLICY workspace_only ON audit_export USING (
    (SELECT current_setting('app.workspace_uuid', true)) = '*' OR ws =
    (SELECT nullif(nullif(current_setting('app.workspace_uuid', true), ''), '*')::uuid));
"""

NO_SCOPE = """
DROP POLICY workspace_only ON audit_export;
ALTER TABLE audit_export DISABLE ROW LEVEL SECURITY;
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0006_erase_and_prune")]

    operations = [
        migrations.CreateModel(
            name="Export",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("ws", models.UUIDField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("queued", "queued"),
                            ("running", "running"),
                            ("ready", "ready"),
                            ("refused", "refused"),
                            ("failed", "failed"),
                            ("expired", "expired"),
                        ],
                        default="queued",
                        max_length=8,
                    ),
                ),
                ("since", models.DateTimeField(null=True)),
                ("until", models.DateTimeField(null=True)),
                ("shows_values", models.BooleanField(default=False)),
                ("reason", models.CharField(max_length=500)),
                ("asked_by", models.CharField(max_length=40)),
                ("asked_person", models.BigIntegerField()),
                ("asked_at", models.DateTimeField()),
                ("decided_by", models.CharField(blank=True, max_length=40)),
                ("decided_person", models.BigIntegerField(null=True)),
                ("decided_at", models.DateTimeField(null=True)),
                ("decision_note", models.CharField(blank=True, max_length=500)),
                ("forced_by", models.UUIDField()),
                ("touched_at", models.DateTimeField()),
                ("done", models.BigIntegerField(default=0)),
                ("total", models.BigIntegerField(default=0)),
                ("ended_at", models.DateTimeField(null=True)),
                ("expires_at", models.DateTimeField(null=True)),
                ("file", models.CharField(blank=True, max_length=120)),
                ("size", models.BigIntegerField(default=0)),
                ("sha256", models.CharField(blank=True, max_length=64)),
                ("manifest_sha256", models.CharField(blank=True, max_length=64)),
                ("entry_count", models.BigIntegerField(default=0)),
                ("problem", models.CharField(blank=True, max_length=500)),
            ],
            options={
                "db_table": "audit_export",
                "indexes": [
                    models.Index(fields=["ws", "-id"], name="audit_export_newest"),
                    models.Index(
                        condition=models.Q(
                            (
                                "state__in",
                                [
                                    "queued",
                                    "running",
                                    "ready",
                                ],
                            )
                        ),
                        fields=["state"],
                        name="audit_export_at_work",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("decided_person", None),
                            models.Q(("decided_person", models.F("asked_person")), _negated=True),
                            _connector="OR",
                        ),
                        name="audit_export_four_eyes",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("shows_values", False),
                            (
                                "state__in",
                                [
                                    "waiting",
                                    "refused",
                                ],
                            ),
                            ("decided_person__isnull", False),
                            _connector="OR",
                        ),
                        name="audit_export_values_released",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                [
                                    "waiting",
                                    "queued",
                                    "running",
                                    "ready",
                                    "refused",
                                    "failed",
                                    "expired",
                                ],
                            )
                        ),
                        name="audit_export_state_known",
                    ),
                ],
            },
        ),
        migrations.RunSQL(SCOPE, NO_SCOPE),
    ]

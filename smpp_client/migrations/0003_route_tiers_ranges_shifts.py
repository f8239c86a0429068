"""Backups, number ranges and planned shifts of a route."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("smpp_client", "0002_bind_slots_and_dialects"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="route",
            name="down_since_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="routeconnection",
            name="tier",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.CreateModel(
            name="RouteRange",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("prefix", models.CharField(max_length=15)),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="ranges",
                        to="smpp_client.connection",
                    ),
                ),
                (
                    "route",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="ranges",
                        to="smpp_client.route",
                    ),
                ),
            ],
            options={
                "db_table": "route_range",
                "constraints": [
                    models.UniqueConstraint(fields=("route", "prefix"), name="route_range_once"),
                    models.CheckConstraint(
                        condition=models.Q(("prefix__regex", "^[1-9][0-9]*$")),
                        name="route_range_digits",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RouteShift",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("from_weights", models.JSONField()),
                ("to_weights", models.JSONField()),
                ("percents", models.JSONField()),
                ("step_seconds", models.PositiveIntegerField()),
                ("begins_at", models.DateTimeField()),
                ("applied_count", models.PositiveSmallIntegerField(default=0)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("running", "Running"),
                            ("done", "Done"),
                            ("stopped", "Stopped"),
                            ("undone", "Undone"),
                        ],
                        default="running",
                        max_length=10,
                    ),
                ),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "route",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="shifts",
                        to="smpp_client.route",
                    ),
                ),
            ],
            options={
                "db_table": "route_shift",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "running")),
                        fields=("route",),
                        name="route_shift_one_runs",
                    )
                ],
            },
        ),
    ]

"""A list keeps its file's titles and where its columns stood, and no sample rows: those were
clear numbers.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0007_sender_revision_guards")]

    operations = [
        migrations.RemoveField("recipientlist", "sample_rows"),
        migrations.AddField("recipientlist", "header", models.JSONField(default=list)),
        migrations.AddField("recipientlist", "positions", models.JSONField(default=list)),
    ]

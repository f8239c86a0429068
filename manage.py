#!/usr/bin/env python
"""Django's command line. The command decides the database role it runs as (roles.py)."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "message_center.settings")
    from message_center.roles import role_of_command

    os.environ.setdefault("DATABASE_ROLE", role_of_command(sys.argv))
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()

"""The WSGI application that gunicorn serves."""

import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "message_center.settings")
application = get_wsgi_application()
# Every page is loaded now; else the first caller of each worker would wait a second for it.
import_module(settings.ROOT_URLCONF)

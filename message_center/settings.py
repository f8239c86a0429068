"""All settings. Each comes from the environment, or from the file that NAME_FILE names (secrets).

`.env.example` lists them with their meaning; nothing here reads the network or the database.
"""

import os
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from message_center.roles import URL_OF_ROLE, database_url

BASE_DIR = Path(__file__).resolve().parent.parent


def text(name: str, default: str | None = None) -> str:
    """Return a setting; raise ImproperlyConfigured naming the variable when it is missing."""
    file = os.environ.get(f"{name}_FILE")
    if file:
        return Path(file).read_text(encoding="utf-8").strip()
    value = os.environ.get(name, default)
    if value is None:
        raise ImproperlyConfigured(
            f"Set {name}, or {name}_FILE to the path of a file that holds it."
        )
    return value


def number(name: str, default: float) -> float:
    """Return a numeric setting."""
    return float(text(name, str(default)))


def flag(name: str, *, default: bool = False) -> bool:
    """Return a yes/no setting: 1, true and yes are yes."""
    return text(name, "1" if default else "0").lower() in {"1", "true", "yes"}


def words(name: str, default: str = "") -> list[str]:
    """Return a comma-separated setting as a list without empty words."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


# --- installation -------------------------------------------------------------------------------
# Commands that only read the code (checks, makemigrations --check) run without any setting.
OFFLINE = len(sys.argv) > 1 and sys.argv[1] in {
    *("makemigrations", "demo", "simulator", "check", "makemessages", "compilemessages"),
}
DEBUG = flag("DEBUG")
SECRET_KEY = text(
    "SECRET_KEY", "offline-commands-sign-nothing" if OFFLINE or "mypy" in sys.argv[0] else None
)
KEY_FILE = text("KEY_FILE", "")
OPERATOR_NAME = text("OPERATOR_NAME", "Message Center")
ALLOWED_HOSTS = words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = words("CSRF_TRUSTED_ORIGINS")
PUBLIC_URL = text("PUBLIC_URL", "http://localhost:8000")
DATA_DIR = Path(text("DATA_DIR", str(BASE_DIR / ".data")))
UPLOAD_DIR = DATA_DIR / "uploads"
# The database's epoch outside of it; never restored from a backup (workspaces/rules/epochs.py).
EPOCH_FILE = DATA_DIR / "installation_epoch"
MAX_UPLOAD_BYTES = int(number("MAX_UPLOAD_BYTES", 1_000_000_000))
DEFAULT_COUNTRY = text("DEFAULT_COUNTRY", "GB")

# --- database -----------------------------------------------------------------------------------
DATABASE_ROLE = os.environ.get("DATABASE_ROLE", "app")


def postgres(url: str) -> dict[str, Any]:
    """Turn postgresql://user:password@host:port/name into Django's form."""
    parts = urlparse(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "connect_timeout": 5,
            "options": "-c statement_timeout=30000 -c lock_timeout=10000 "
            "-c idle_in_transaction_session_timeout=30000"
            # What is signed or taken from a file must be on disk, whatever the server's default is.
            " -c synchronous_commit=on",
            "application_name": f"message-center-{DATABASE_ROLE}",
        },
    }


def databases() -> dict[str, dict[str, Any]]:
    """`default` is the role of this process;

    `denied` is a second connection for what must outlive a rollback.
    """
    try:
        url = database_url(DATABASE_ROLE)
    except KeyError as missing:
        if OFFLINE or "mypy" in sys.argv[0]:
            url = "postgresql://nobody@127.0.0.1:1/none"
        else:
            raise ImproperlyConfigured(
                f"Set {missing.args[0]} (the {DATABASE_ROLE} role): postgresql://user:password@host:5432/name"
            ) from None
    return {"default": postgres(url), "denied": postgres(url)}


DATABASES = databases()
# Evidence is read by a role that can do nothing else; who writes none does not get to know it.
try:
    EXPORTER_DATABASE_URL = database_url("exporter")
except KeyError:
    EXPORTER_DATABASE_URL = ""
DATABASE_ROLES = tuple(URL_OF_ROLE)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- valkey, celery -----------------------------------------------------------------------------
REDIS_URL = text("REDIS_URL", "redis://127.0.0.1:6379/0")
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TIME_LIMIT = 300
CELERY_TASK_SOFT_TIME_LIMIT = 240
CELERY_TASK_DEFAULT_QUEUE = "work"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "beat-schedule")
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

# --- applications -------------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "csp",
    "rest_framework",
    "drf_spectacular",
    "audit.apps.AuditConfig",
    "workspaces.apps.WorkspacesConfig",
    "smpp_client.apps.SmppClientConfig",
    "campaigns.apps.CampaignsConfig",
    "message_center.apps.MessageCenterConfig",
]
MIDDLEWARE = [
    "message_center.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "message_center.middleware.NotFoundMiddleware",
    "message_center.middleware.DatabaseDownMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "workspaces.gate.middleware.GateMiddleware",
]
ROOT_URLCONF = "message_center.urls"
WSGI_APPLICATION = "message_center.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "message_center.middleware.shell",
            ],
            "builtins": ["message_center.templatetags.mc"],
            "libraries": {"mc": "message_center.templatetags.mc"},
        },
    }
]

# --- people -------------------------------------------------------------------------------------
AUTH_USER_MODEL = "workspaces.User"
LOGIN_URL = "/sign-in/"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_RESET_TIMEOUT = 3600
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_NAME = "mc_session"
SESSION_IDLE_SECONDS = int(number("SESSION_IDLE_SECONDS", 30 * 60))
SESSION_ABSOLUTE_SECONDS = int(number("SESSION_ABSOLUTE_SECONDS", 12 * 3600))
SESSION_COOKIE_AGE = SESSION_ABSOLUTE_SECONDS
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SIGN_IN_FAILURES_PER_ACCOUNT = int(number("SIGN_IN_FAILURES_PER_ACCOUNT", 5))
SIGN_IN_FAILURES_PER_ADDRESS = int(number("SIGN_IN_FAILURES_PER_ADDRESS", 50))
SIGN_IN_LOCK_SECONDS = int(number("SIGN_IN_LOCK_SECONDS", 15 * 60))
INVITATION_DAYS = int(number("INVITATION_DAYS", 7))
VISIT_MINUTES = int(number("VISIT_MINUTES", 60))
TRUSTED_PROXY_COUNT = int(number("TRUSTED_PROXY_COUNT", 0))

# --- mail ---------------------------------------------------------------------------------------
# Mails hold links that open accounts: the log is a place for them only in the demo (apps.py).
EMAIL_BACKEND = text(
    "EMAIL_BACKEND", f"django.core.mail.backends.{'console' if DEBUG else 'smtp'}.EmailBackend"
)
EMAIL_FILE_PATH = str(DATA_DIR / "mail")
EMAIL_HOST = text("EMAIL_HOST", "localhost")
EMAIL_PORT = int(number("EMAIL_PORT", 25))
EMAIL_HOST_USER = text("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = text("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = flag("EMAIL_USE_TLS")
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = text("DEFAULT_FROM_EMAIL", "message-center@localhost")

# --- words, time --------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]
LOCALE_PATHS = [BASE_DIR / "message_center" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
FORMAT_MODULE_PATH = ["message_center.formats"]

# --- static files -------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "message_center" / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_MAX_AGE = 300

# --- security headers ---------------------------------------------------------------------------
HTTPS = flag("HTTPS", default=not DEBUG)
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXY_COUNT else None
SESSION_COOKIE_SECURE = HTTPS
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "message_center.views.csrf_failure"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "style-src": [SELF],
        "script-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_500_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
FILE_UPLOAD_HANDLERS = ["campaigns.forms.uploads.NoFile"]
FILE_UPLOAD_TEMP_DIR = text("FILE_UPLOAD_TEMP_DIR", "") or None

# --- API ----------------------------------------------------------------------------------------
API_RATE_PER_MINUTE = int(number("API_RATE_PER_MINUTE", 6000))
REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "URL_FORMAT_OVERRIDE": None,
    # The gate has decided before a view runs; DRF must not decide a second time.
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
    "EXCEPTION_HANDLER": "message_center.errors.problem",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Message Center",
    "DESCRIPTION": "Single messages by approved campaign, their state, sender names and campaigns.",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": True,
    "SECURITY": [{"key": []}],
    "APPEND_COMPONENTS": {
        "securitySchemes": {
            "key": {
                "type": "http",
                "scheme": "bearer",
                "description": "A key of your workspace, made on its page “API keys”.",
            }
        }
    },
    "POSTPROCESSING_HOOKS": [],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "COMPONENT_SPLIT_REQUEST": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_PERMISSIONS": [],
    "SERVE_AUTHENTICATION": [],
}

# --- audit --------------------------------------------------------------------------------------
AUDIT_ORIGIN_DOMAIN = text("AUDIT_ORIGIN_DOMAIN", "audit.localhost")
AUDIT_STATE_DIR = Path(text("AUDIT_STATE_DIR", str(DATA_DIR / "audit")))
AUDIT_KEY_FILE = text("AUDIT_KEY_FILE", str(DATA_DIR / "secrets" / "audit_signing_key.pem"))
AUDIT_NONCE_FILE = text("AUDIT_NONCE_FILE", str(DATA_DIR / "secrets" / "audit_nonce_secret"))
AUDIT_EPOCH_SECONDS = number("AUDIT_EPOCH_SECONDS", 3600)
AUDIT_EXPORT_KEY_FILE = text(
    "AUDIT_EXPORT_KEY_FILE", str(DATA_DIR / "secrets" / "audit_export_key.pem")
)
AUDIT_EXPORT_DIR = DATA_DIR / "exports"
EVIDENCE_DAYS = int(number("EVIDENCE_DAYS", 7))
AUDIT_ANCHOR_FILE = text("AUDIT_ANCHOR_FILE", "")
AUDIT_TSA_URL = text("AUDIT_TSA_URL", "")
AUDIT_TSA_CA = text("AUDIT_TSA_CA", "")
AUDIT_TSA_SECONDS = number("AUDIT_TSA_SECONDS", 3600)
AUDIT_ANCHOR_MAIL = words("AUDIT_ANCHOR_MAIL")
AUDIT_ANCHOR_MAIL_SECONDS = number("AUDIT_ANCHOR_MAIL_SECONDS", 24 * 3600)
AUDIT_ANCHOR_SYSLOG = text("AUDIT_ANCHOR_SYSLOG", "")
AUDIT_WITNESS_URL = text("AUDIT_WITNESS_URL", "")
AUDIT_WITNESS_KEY = text("AUDIT_WITNESS_KEY", "")
AUDIT_ANCHOR_LATE_SECONDS = number("AUDIT_ANCHOR_LATE_SECONDS", 7200)
AUDIT_FALLBACK_DIR = Path(text("AUDIT_FALLBACK_DIR", str(DATA_DIR / "fallback")))
AUDIT_FALLBACK_MAX_BYTES = int(number("AUDIT_FALLBACK_MAX_BYTES", 200_000_000))

# --- sending ------------------------------------------------------------------------------------
LEASE_SECONDS = number("LEASE_SECONDS", 15)
LEASE_RENEW_SECONDS = number("LEASE_RENEW_SECONDS", 0.75)
RECEIPT_WAIT_HOURS = number("RECEIPT_WAIT_HOURS", 72)

# --- logs ---------------------------------------------------------------------------------------
LOG_JSON = flag("LOG_JSON", default=not DEBUG)
LOGGING_CONFIG = "message_center.logs.configure"
LOGGING = {"json": LOG_JSON}

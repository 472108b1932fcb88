"""Where the server is, and as whom, libpq's own variables say: PGHOST, PGUSER, PGPASSWORD."""

import os

SECRET_KEY = os.environ.get("SECRET_KEY", "only for development")
ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
ROOT_URLCONF = "shop.urls"
INSTALLED_APPS = ["shop"]
MIDDLEWARE = ["shop.middleware.RefusalsAsResponses"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": os.environ.get("PGDATABASE", "shop"),
        "OPTIONS": {"pool": True},
    }
}

# Who owns the ledger: a role without login, which the role that migrates is a member of.
PGWALLET_OWNER = "pgwallet_owner"
# Who calls it: the role that the application connects as.
PGWALLET_APP = "shop"

# What the payment provider signs its webhooks with.
WEBHOOK_SECRET = os.environ.get("WEBHOOK_SECRET", "only for development")

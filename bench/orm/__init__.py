"""The baselines: the service that pgwallet replaces, with Django's ORM, in both its ways.

Importing the package sets Django up; `database.connect` then names the database. A user and a
project are plain numbers here, so the baselines are spared the checks of those foreign keys. The
rest is as in a new Django project, but for the persistent connection and the logging left alone.
"""

import django
from django.conf import settings

settings.configure(
    DEBUG=False,
    INSTALLED_APPS=["bench.orm"],
    DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", "CONN_MAX_AGE": None}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    TIME_ZONE="UTC",
    LOGGING_CONFIG=None,
)
django.setup()

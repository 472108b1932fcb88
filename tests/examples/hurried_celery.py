"""examples.celery_jobs with its schedule in tenths of a second, for a test that runs it."""

from examples.celery_jobs import app

for entry in app.conf.beat_schedule.values():
    entry["schedule"] = 0.2
app.conf.beat_max_loop_interval = 0.1

__all__ = ["app"]

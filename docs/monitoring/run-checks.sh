#!/bin/sh
# Runs what looks at all of a ledger, and leaves what it said for the textfile collector of
# node_exporter, as DIRECTORY/pgwallet.prom: run-checks.sh DIRECTORY
#
# The database is the one of PGWALLET_DATABASE_URL: the primary, or a standby server.
set -u

pgwallet status --check > "$1/pgwallet-status.txt" 2>&1
status=$?
pgwallet check > "$1/pgwallet-check.txt" 2>&1
check=$?

# Renamed when it is whole, since it may be read at any time.
cat > "$1/pgwallet.prom.new" << END
# HELP pgwallet_status_exit_code Of pgwallet status --check; 0 for as it should be, 1 for not, more for not seen.
# TYPE pgwallet_status_exit_code gauge
pgwallet_status_exit_code $status
# HELP pgwallet_check_exit_code Of pgwallet check; 0 for sound, 1 for not, more for not checked.
# TYPE pgwallet_check_exit_code gauge
pgwallet_check_exit_code $check
# HELP pgwallet_checks_timestamp_seconds When both last ended.
# TYPE pgwallet_checks_timestamp_seconds gauge
pgwallet_checks_timestamp_seconds $(date +%s)
END
mv "$1/pgwallet.prom.new" "$1/pgwallet.prom"
test "$status" -eq 0 && test "$check" -eq 0

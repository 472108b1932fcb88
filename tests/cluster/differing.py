"""The tests that cannot hold through a router, by reason: those that are not even run, because
their file is about such a thing or they would leave tables as no other test may find them, and
those that are run and expected to fail. By `file::test` or `file::test[arguments]`.
"""

from enum import StrEnum


class Why(StrEnum):
    """In words of docs/concepts/cluster.md."""

    COMMITTED = "the first call stays, whatever becomes of the transaction"
    TABLES = "the owner may look into tables, sequences and indexes | they are on the shards"
    PASSED_ON = "It passes each call on to the shards that it concerns"
    DEPLOYED = "`pgwallet cluster migrate` does, all of it"
    RANGES = "Each shard gives its ids from a range of 2^46 of its own"
    KEYS = "where its wallets are on several shards, each element has a key"
    SEALED = "seals close all history | each shard has its own"
    FED = "a feed for each shard; there is no order between them"
    ANOTHER = "the same key with a wallet of another shard is another call"
    SNAPSHOT = "reads of one snapshot | of one shard; sums over shards may be between two calls"
    LINES = "a statement has no balance after each line then"
    SAID = "PL/Proxy writes before a warning or a notice where it is from"


# By reason, the test of what happens instead.
INSTEAD: dict[Why, str] = {
    Why.COMMITTED: "test_instead.py::test_a_rollback_undoes_nothing",
    Why.TABLES: "test_instead.py::test_what_is_on_the_shards_is_not_on_a_router",
    Why.PASSED_ON: "test_security.py::test_each_function_of_a_router_pins_where_it_looks_names_up",
    Why.DEPLOYED: "test_commands_of_one_database.py::test_a_router_is_none_of_theirs",
    Why.RANGES: "test_instead.py::test_an_id_of_a_shard_is_none_for_a_project",
    Why.KEYS: "test_instead.py::test_elements_on_several_shards_need_keys",
    Why.SEALED: "test_everywhere.py::test_each_shard_seals_its_own",
    Why.FED: "test_everywhere.py::test_each_shard_has_a_feed_of_its_own",
    Why.ANOTHER: "test_instead.py::test_one_key_with_wallets_of_two_shards_has_two_effects",
    Why.SNAPSHOT: "test_instead.py::test_a_transaction_is_no_snapshot",
    Why.LINES: "test_everywhere.py::test_the_statement_of_a_project_is_read_in_pages",
    Why.SAID: "../driver/test_notices.py"
    "::test_what_a_router_writes_before_a_notice_of_a_shard_is_left_out",
}

# A whole file has tests of that kind alone.
_LEFT_OUT: dict[Why, str] = {
    # Sessions that wait for what others have done and not committed, or are at another isolation
    # level: a router has no such transaction, and its shards are as they are there. The model rolls
    # each ledger back, the storm calls in transactions.
    Why.COMMITTED: """
        concurrency/
        model/test_model.py
        storm/test_storm.py
        cli/test_import_broken_off.py
        cli/test_feed.py::test_it_names_a_long_transaction_and_ends_while_it_waits_for_it
        accounts/test_states.py::test_a_function_answers_in_each_state_as_the_catalogue_says
        cli/test_settling.py::test_a_second_ctrl_c_breaks_off_a_batch_that_waits
        cli/test_settling.py::test_totals_are_shown_when_the_connection_is_lost
        following/test_read_feed.py::test_where_nothing_came_it_draws_no_xid_and_works_anywhere
        following/test_read_feed.py::test_what_is_still_being_written_is_waited_for
        following/test_read_feed.py::test_what_came_while_it_waited_is_left_for_the_next_page
        following/test_read_feed.py::test_nobody_is_waited_for_on_account_of_what_is_sealed
        following/test_read_feed.py::test_at_a_higher_level_it_says_that_it_cannot
        following/test_read_feed.py::test_several_pages_are_read_in_one_transaction
        following/test_read_feed.py::test_two_transactions_that_have_written_do_not_wait_for_each_other_for_ever
    """,
    # Rows that are changed by hand and found, triggers, statistics, plans of statements over
    # tables, sequences that are behind or ahead.
    Why.TABLES: """
        attackers/test_owner.py
        following/test_order_of_drawing.py
        ledger/test_corruptions.py
        ledger/test_late_sequences.py
        ledger/test_skipped_ids.py
        ledger/test_to_the_last_unit.py
        views/test_plans.py
        following/test_read_feed.py::test_a_page_is_full_whatever_ids_are_missing
        following/test_read_feed.py::test_a_page_reads_a_few_pages_of_the_table_wherever_it_is
        following/test_read_feed.py::test_the_index_covers_what_the_function_takes_it_to_cover
        ledger/test_check_ledger.py::test_1_a_balance_below_zero
        ledger/test_check_ledger.py::test_1_a_balance_below_zero_that_its_postings_make
        ledger/test_check_ledger.py::test_1_a_balance_that_its_postings_do_not_make
        ledger/test_check_ledger.py::test_3_an_escrow_that_gave_more_than_it_had
        ledger/test_check_ledger.py::test_3_an_escrow_whose_parts_do_not_fit
        ledger/test_check_ledger.py::test_5_a_table_without_its_guard
        ledger/test_check_ledger.py::test_6_a_key_with_two_effects
        ledger/test_check_of_what_is_new.py::test_each_invariant_is_looked_at_for_what_is_new
        ledger/test_check_ledger.py::test_every_constraint_of_the_tables_is_missed_when_it_is_gone
        views/test_monitoring.py::test_a_violation_that_a_check_found_shows
    """,
    Why.SEALED: """
        seals/
        cli/test_sealing.py::test_it_follows_until_it_is_told_to_stop
    """,
    Why.FED: """
        following/test_other_servers.py
        following/test_read_feed.py::test_it_has_each_posting_once_in_order_with_what_the_call_said
    """,
}

_FAILING: dict[Why, str] = {
    Why.COMMITTED: """
        ledger/test_idempotency.py::test_a_call_that_was_rolled_back_leaves_its_key_free
        ledger/test_looking_up.py::test_a_key_that_was_rolled_back_with_its_call_finds_nothing
        cli/test_import.py::test_how_many_wallets_are_opened_is_said
        cli/test_import.py::test_missing_wallets_are_opened_when_asked_for
        cli/test_import_refused.py::test_a_wallet_is_not_opened_in_a_currency_that_nobody_knows
        accounts/test_closing.py::test_of_many_wallets_the_first_closed_one_is_named
        driver/test_projects.py::test_a_batch_that_cannot_get_its_locks_is_run_again
        driver/test_projects.py::test_the_last_pass_waits_for_an_escrow_that_is_held
        driver/test_transactions.py::test_a_deadlock_is_run_again
        driver/test_transactions.py::test_a_deadlock_passes_once_attempts_are_used_up
        driver/test_transactions.py::test_a_lock_timeout_is_run_again
        driver/test_transactions.py::test_a_rollback_undoes_everything_and_passes
        driver/test_transactions.py::test_a_serialization_failure_is_run_again
        driver/test_transactions.py::test_a_swallowed_error_is_not_taken_for_success
        driver/test_transactions.py::test_an_error_undoes_everything_and_passes
        driver/test_transactions.py::test_async_errors_pass_and_undo_everything
        driver/test_transactions.py::test_attempts_limits_the_runs
        driver/test_transactions.py::test_it_commits_on_an_autocommit_connection
        driver/test_transactions.py::test_it_runs_on_an_async_connection_and_an_async_pool
        driver/test_transactions.py::test_it_takes_a_connection_of_a_pool_for_each_attempt
        attackers/test_functions.py::test_what_the_access_gives_works[app]
        attackers/test_functions.py::test_what_the_access_gives_works[operator]
        attackers/test_settings.py::test_a_call_that_runs_out_of_time_leaves_nothing
        attackers/test_settings.py::test_no_setting_of_a_session_changes_an_answer
        attackers/test_settings.py::test_no_settings_from_the_start_change_an_answer
        attackers/test_shadowing.py::test_no_trap_is_sprung_and_every_answer_is_right[operator-lair, pg_catalog, pg_temp]
        attackers/test_shadowing.py::test_no_trap_is_sprung_and_every_answer_is_right[operator-pg_temp, lair, pg_catalog]
        attackers/test_shadowing.py::test_no_trap_is_sprung_and_every_answer_is_right[operator-lair, pg_temp, pgwallet]
        attackers/test_shadowing.py::test_no_trap_is_sprung_and_every_answer_is_right[operator-pgwallet, lair, pg_catalog]
        defects/test_release.py::test_d04_two_closings_pay_the_commission_once
        defects/test_release.py::test_d04_two_releases_of_one_escrow_pay_the_commission_once
        defects/test_release.py::test_d07_the_procedure_commits_each_batch
        defects/test_release.py::test_d09_no_pledge_slips_into_a_closing_project
        defects/test_repeating.py::test_d08_a_deadlock_is_repeated_in_a_new_transaction_and_succeeds
        defects/test_repeating.py::test_d11_a_key_is_free_again_when_the_first_call_rolls_back
        defects/test_repeating.py::test_d11_two_calls_at_once_with_one_key_have_one_effect
        escrow/test_batches.py::test_a_batch_skips_what_another_transaction_holds
        ledger/test_bulk.py::test_a_wallet_cannot_pledge_more_by_pledging_twice
    """,  # noqa: E501
    Why.TABLES: """
        ledger/test_recorded_checks.py::test_ids_are_counted_from_nothing_on
        ledger/test_check_of_what_is_new.py::test_a_check_of_what_is_new_reads_nothing_from_before
        ledger/test_looking_up.py::test_every_status_of_an_escrow_and_of_a_project_can_be_asked_for
        attackers/test_erasing.py::test_nothing_but_erasing_is_let_through
        attackers/test_erasing.py::test_erasing_is_let_through_and_is_final[owner]
        attackers/test_erasing.py::test_erasing_is_let_through_and_is_final[replica]
        attackers/test_objects.py::test_no_type_is_changed
        attackers/test_tables.py::test_statistics_tell_nothing_of_what_is_in_the_tables
        attackers/test_tables.py::test_what_a_call_drew_from_a_sequence_stays_unknown
        cli/test_sealing.py::test_check_names_the_seal_that_does_not_fit
        pockets/test_random_rules.py::test_rules_give_what_plain_arithmetic_says
        views/test_summaries.py::test_the_books_have_every_kind_of_transaction
        views/test_transaction_log.py::test_a_posting_without_its_transaction_is_still_in_the_log
        access/test_grants.py::test_no_access_changes_the_schema_or_gives_itself_more
        access/test_grants.py::test_no_access_reads_or_writes_a_table
        ledger/test_events.py::test_a_page_of_events_is_read_along_an_index
        escrow/test_disputes.py::test_a_dispute_holds_what_is_left
        wallets/test_currencies.py::test_the_same_again_returns_it_and_another_one_is_refused
        escrow/test_expiry.py::test_a_refusal_says_when_it_expired_and_what_to_do
        escrow/test_project_ids.py::test_an_id_in_use_is_refused_and_moves_the_sequence_nowhere
        escrow/test_project_ids.py::test_an_id_just_ahead_of_the_sequence_meets_no_other
        escrow/test_states.py::test_an_explicit_project_id_is_taken_and_never_given_again
        wallets/test_currencies.py::test_ids_pass_over_those_that_projects_were_given
        wallets/test_erase_owner.py::test_no_byte_of_it_is_left_in_a_dump_or_in_a_file
    """,
    Why.DEPLOYED: """
        cli/test_demo.py::test_the_printed_sql_does_the_same_in_psql
        cli/test_every_function.py::test_every_public_function_is_reached_by_a_command
        cli/test_pooler.py::test_every_command_works_beside_the_prepared_statements_of_others
        cli/test_deploying.py::test_a_function_edited_by_hand_is_reported_and_mended
        cli/test_deploying.py::test_a_refused_migration_exits_with_1
        cli/test_deploying.py::test_the_gate_of_an_older_version_changes_nothing_and_goes_back_when_told_to
        cli/test_deploying.py::test_sql_can_print_the_functions_alone
        cli/test_deploying.py::test_status_prints_the_sql_that_mends_what_migrate_does_not
        cli/test_deploying.py::test_status_that_could_not_look_exits_with_3
        access/test_grants.py::test_a_deployment_closes_everything_to_public
        access/test_grants.py::test_a_deployment_gives_every_access_again
        access/test_grants.py::test_a_deployment_skips_roles_that_were_dropped
        access/test_grants.py::test_an_access_is_taken_away_as_the_comment_says
        access/test_show_deployment.py::test_it_tells_version_owner_and_migrations
        ledger/test_events.py::test_an_access_is_told_when_it_is_given_and_when_it_is_taken
    """,
    Why.RANGES: """
        cli/test_terminal.py::test_a_statement_fits_the_terminal_with_times_and_amounts_whole
        cli/test_terminal.py::test_words_give_way_before_a_number_is_folded
        ledger/test_looking_up.py::test_projects_are_listed_in_pages_and_by_status
        attackers/test_numbers.py::test_the_last_project_id_leaves_ids_for_everyone
        escrow/test_project_ids.py::test_an_id_beside_the_last_one_drawn_leaves_the_next_one_free
        escrow/test_project_ids.py::test_the_id_of_an_escrow_is_no_id_for_a_project
        access/test_chosen_ids.py::test_an_application_cannot_choose_the_id_of_a_project
        ledger/test_events.py::test_events_are_read_on_in_the_order_of_their_ids
    """,
    Why.KEYS: """
        ledger/test_bulk.py::test_postings_come_in_input_order
    """,
    Why.ANOTHER: """
        ledger/test_idempotency.py::test_the_key_with_another_function_is_a_conflict
    """,
    Why.SNAPSHOT: """
        ledger/test_check_ledger.py::test_it_sees_one_snapshot
        escrow/test_expiry.py::test_the_summary_says_what_can_only_be_given_back
    """,
    Why.LINES: """
        ledger/test_reading.py::test_a_statement_lists_every_movement_signed[project]
        ledger/test_effective_times.py::test_a_statement_by_effective_times_comes_in_pages_and_bounds[project-False]
        ledger/test_effective_times.py::test_a_statement_by_effective_times_comes_in_pages_and_bounds[project-True]
        views/test_transaction_log.py::test_each_account_s_rows_are_its_statement
    """,
    Why.PASSED_ON: """
        attackers/test_shadowing.py::test_an_empty_search_path_would_let_types_of_pg_temp_in
        attackers/test_shadowing.py::test_the_traps_are_live
        attackers/test_shadowing.py::test_the_same_traps_are_sprung_in_every_function_that_looks_names_up_along_the_path
    """,
    Why.SEALED: """
        ledger/test_recorded_checks.py::test_the_event_says_when_from_where_on_and_how_much
        ledger/test_recorded_checks.py::test_the_last_seal_is_told
        cli/test_sealing.py::test_programs_get_the_same[--csv]
    """,
    Why.SAID: """
        escrow/test_disputes.py::test_batches_leave_it_out[True-succeeded-release_escrows]
        escrow/test_disputes.py::test_batches_leave_it_out[True-failed-refund_escrows]
        pockets/test_pockets.py::test_of_200_pockets_100_take_part_and_a_warning_says_so
    """,
}


def _names(by_reason: dict[Why, str]) -> dict[str, Why]:
    # A name of a test with arguments may have spaces.
    return {
        line.strip(): why
        for why, names in by_reason.items()
        for line in names.splitlines()
        if line.strip()
    }


LEFT_OUT = _names(_LEFT_OUT)
FAILING = _names(_FAILING)

"""The tests that cannot hold through a router, by reason: those that are not even run, because
their file is about such a thing, and those that are run and expected to fail.
"""

from enum import StrEnum


class Why(StrEnum):
    """In words of docs/concepts/cluster.md."""

    COMMITTED = "the first call stays, whatever becomes of the transaction"
    TABLES = "the owner may look into tables, sequences and indexes | they are on the shards"
    DEPLOYED = "`pgwallet cluster migrate` does, all of it"
    RANGES = "Each shard gives its ids from a range of 2^46 of its own"
    KEYS = "where its wallets are on several shards, each element has a key"
    BEGUN = "an event names who began the session | the role of the routers"
    SEALED = "seals close all history | each shard has its own"
    FED = "a feed for each shard; there is no order between them"
    SAID = "PL/Proxy writes before a warning or a notice where it is from"


_LEFT_OUT: dict[Why, str] = {
    Why.COMMITTED: """
        concurrency/ model/ storm/test_storm.py
        accounts/test_states.py
        cli/test_import_broken_off.py cli/test_pooler.py
    """,
    Why.TABLES: """
        attackers/test_erasing.py attackers/test_objects.py attackers/test_owner.py
        attackers/test_tables.py
        following/test_order_of_drawing.py
        ledger/test_check_ledger.py ledger/test_corruptions.py ledger/test_late_sequences.py
        ledger/test_skipped_ids.py ledger/test_to_the_last_unit.py
        views/test_plans.py
    """,
    Why.SEALED: "seals/ cli/test_sealing.py",
    Why.FED: "following/ cli/test_feed.py",
    Why.DEPLOYED: "cli/test_deploying.py cli/test_demo.py cli/test_psql.py",
}

_FAILING: dict[Why, str] = {
    Why.COMMITTED: """
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
        attackers/test_settings.py::test_a_call_that_runs_out_of_time_leaves_nothing
        defects/test_release.py::test_d04_two_closings_pay_the_commission_once
        defects/test_release.py::test_d04_two_releases_of_one_escrow_pay_the_commission_once
        defects/test_release.py::test_d07_the_procedure_commits_each_batch
        defects/test_release.py::test_d09_no_pledge_slips_into_a_closing_project
        defects/test_repeating.py::test_d08_a_deadlock_is_repeated_in_a_new_transaction_and_succeeds
        defects/test_repeating.py::test_d11_a_key_is_free_again_when_the_first_call_rolls_back
        defects/test_repeating.py::test_d11_two_calls_at_once_with_one_key_have_one_effect
        escrow/test_batches.py::test_a_batch_skips_what_another_transaction_holds
        escrow/test_milestones.py::test_parts_sum_to_what_one_release_takes_where_the_last_is_large_enough
        ledger/test_bulk.py::test_a_wallet_cannot_pledge_more_by_pledging_twice
    """,
    Why.TABLES: """
        access/test_grants.py::test_no_access_changes_the_schema_or_gives_itself_more
        access/test_grants.py::test_no_access_reads_or_writes_a_table
        escrow/test_changing_pledges.py::test_what_is_frozen_or_closed_only_takes_back[project]
        ledger/test_events.py::test_a_page_of_events_is_read_along_an_index
        escrow/test_expiry.py::test_a_refusal_says_when_it_expired_and_what_to_do
        escrow/test_expiry.py::test_what_expires_in_the_moment_of_a_success_has_expired
        escrow/test_histories.py::test_random_histories_are_exact
        escrow/test_project_ids.py::test_an_id_in_use_is_refused_and_moves_the_sequence_nowhere
        escrow/test_project_ids.py::test_an_id_just_ahead_of_the_sequence_meets_no_other
        escrow/test_states.py::test_an_explicit_project_id_is_taken_and_never_given_again
        escrow/test_expiry.py::test_the_summary_says_what_can_only_be_given_back
        wallets/test_currencies.py::test_decimals_never_change
        wallets/test_currencies.py::test_ids_pass_over_those_that_projects_were_given
        wallets/test_erase_owner.py::test_no_byte_of_it_is_left_in_a_dump_or_in_a_file
    """,
    Why.DEPLOYED: """
        access/test_grants.py::test_a_deployment_closes_everything_to_public
        access/test_grants.py::test_a_deployment_gives_every_access_again
        access/test_grants.py::test_a_deployment_skips_roles_that_were_dropped
        access/test_grants.py::test_an_access_is_taken_away_as_the_comment_says
        access/test_show_deployment.py::test_it_tells_version_owner_and_migrations
        ledger/test_events.py::test_an_access_is_told_when_it_is_given_and_when_it_is_taken
    """,
    Why.RANGES: """
        attackers/test_numbers.py::test_the_last_project_id_leaves_ids_for_everyone
        escrow/test_project_ids.py::test_an_id_beside_the_last_one_drawn_leaves_the_next_one_free
        escrow/test_project_ids.py::test_the_id_of_an_escrow_is_no_id_for_a_project
        access/test_chosen_ids.py::test_an_application_cannot_choose_the_id_of_a_project
        ledger/test_events.py::test_events_are_read_on_in_the_order_of_their_ids
    """,
    Why.KEYS: """
        wallets/test_transfers.py::test_a_closed_account_neither_pays_nor_receives
        ledger/test_bulk.py::test_a_call_over_a_thousand_wallets_is_sound
        ledger/test_bulk.py::test_postings_come_in_input_order
    """,
    Why.BEGUN: """
        escrow/test_disputes.py::test_a_dispute_holds_what_is_left
        ledger/test_events.py::test_a_currency_tells_which_it_is
        ledger/test_events.py::test_an_event_names_who_began_the_session
        ledger/test_events.py::test_an_event_says_what_who_and_when
        ledger/test_events.py::test_whoever_may_update_settings_needs_no_right_to_events
        wallets/test_currencies.py::test_the_same_again_returns_it_and_another_one_is_refused
    """,
    Why.FED: """
        attackers/test_functions.py::test_what_the_access_gives_works[operator]
        attackers/test_functions.py::test_what_the_access_gives_works[auditor]
        attackers/test_numbers.py::test_a_limit_is_any_positive_number_of_its_type[read_feed-p_limit]
        attackers/test_numbers.py::test_a_position_is_any_number_of_its_type[read_feed-p_after_posting_id]
        attackers/test_settings.py::test_a_read_only_session_writes_nothing
        attackers/test_settings.py::test_no_setting_of_a_session_changes_an_answer
        attackers/test_settings.py::test_no_settings_from_the_start_change_an_answer
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
        name.strip(): why
        for why, names in by_reason.items()
        for line in names.splitlines()
        for name in ([line] if "::" in line else line.split())
        if name.strip()
    }


LEFT_OUT = _names(_LEFT_OUT)
FAILING = _names(_FAILING)

"""What no second row contradicts."""

# No table holds a second account of these: docs/guarantees.md says so, in these words.
NOT_FOUND = {
    "A reference, the name of a pocket": (
        "update pgwallet.project set reference = 'another' where project_id = {film};"
        "update pgwallet.pocket set name = 'another' where pocket_id = {rent}"
    ),
    "The rates and the limit of a project before its first release, its fee rate also later": (
        "update pgwallet.project set commission_rate = 0.5, max_pledge = 1 "
        "where project_id = {song}; "
        "update pgwallet.project set fee_rate = 0.5 where project_id = {film}"
    ),
    "The status of a project from which no batch released anything": (
        "update pgwallet.project set status = 'failed', closed_at = now() where project_id = {song}"
    ),
    "When an escrow expires, and when a call happened outside": (
        "update pgwallet.escrow set expires_at = now() - interval '1 day' "
        "where escrow_id = {locked};"
        "update pgwallet.transaction set effective_at = now() where transaction_id = {tx_cash}"
    ),
    "Metadata": "update pgwallet.transaction set metadata = '{{}}'",
    "A key that was taken away with its request": (
        "update pgwallet.transaction set idempotency_key = null, request = null "
        "where transaction_id = {tx_salary}"
    ),
    "An allocation without a key that is called a transfer, and the reverse": (
        "update pgwallet.transaction set idempotency_key = null, request = null, "
        "kind = 'transfer_to_pocket' where transaction_id = {tx_split}"
    ),
    "Which of a batch's escrows gave how much of the fee": (
        "update pgwallet.escrow set fee_amount = fee_amount + d.amount, "
        "net_amount = net_amount - d.amount "
        "from (values ({hit_of_ada}, -0.10), ({hit_of_bob}, 0.10)) as d (id, amount) "
        "where escrow_id = d.id"
    ),
    "The last posting of an account, taken away whole: with its transaction, and both balances": (
        "delete from pgwallet.posting where transaction_id = {tx_yen};"
        "delete from pgwallet.transaction where transaction_id = {tx_yen};"
        "update pgwallet.account set balance = 0 where account_id = {yen}"
    ),
}

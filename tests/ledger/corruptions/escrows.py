"""Escrows and projects that say something else than what was posted."""

from .corruption import corrupted

ESCROWS = [
    corrupted(
        "an escrow that is locked is deleted",
        "delete from pgwallet.escrow where escrow_id = {locked}",
        (2, "project {film}"),
        (3, "escrow {locked}"),
    ),
    corrupted(
        "a refund is forged",
        "update pgwallet.escrow set status = 'refunded', refunded_amount = amount "
        "where escrow_id = {locked}",
        (2, "project {film}"),
        (3, "project {film}"),
    ),
    corrupted(
        "two projects exchange their escrow accounts",
        "alter table pgwallet.project drop constraint project_escrow_account_id_key;"
        "update pgwallet.project set escrow_account_id = "
        "case project_id when {film} then {escrows_of_song} else {escrows_of_film} end "
        "where project_id in ({film}, {song})",
        (2, "project {film}"),
        (2, "project {song}"),
    ),
    corrupted(
        "the wallet of an escrow is gone",
        "delete from pgwallet.wallet where wallet_id = {bob}",
        (3, "escrow {other}"),
    ),
    corrupted(
        "an escrow is given to another wallet",
        "update pgwallet.escrow set wallet_id = {bob} where escrow_id = {locked}",
        (3, "escrow {locked}"),
    ),
    corrupted(
        "an escrow that was refunded in a batch is given to another wallet",
        "update pgwallet.escrow set wallet_id = {eve} where escrow_id = {flop_of_ada}",
        (3, "escrow {flop_of_ada}"),
        (3, "project {flop}"),
    ),
    corrupted(
        "two escrows of a project exchange their amounts",
        "update pgwallet.escrow set amount = case escrow_id when {locked} then 12 else 30 end "
        "where escrow_id in ({locked}, {other})",
        (3, "escrow {locked}"),
        (3, "escrow {other}"),
    ),
    corrupted(
        "two equal escrows exchange their projects",
        "update pgwallet.escrow set project_id = "
        "case escrow_id when {locked} then {song} else {film} end "
        "where escrow_id in ({locked}, {twin})",
        (3, "escrow {locked}"),
        (3, "escrow {twin}"),
    ),
    corrupted(
        "a release is rewritten as a refund",
        "update pgwallet.escrow set status = 'refunded', refunded_amount = amount, "
        "released_amount = 0, commission_amount = 0, fee_amount = 0, net_amount = 0 "
        "where escrow_id = {released}",
        (3, "escrow {released}"),
        (3, "project {film}"),
    ),
    corrupted(
        "a release by a batch is rewritten as a refund",
        "update pgwallet.escrow set status = 'refunded', refunded_amount = amount, "
        "released_amount = 0, commission_amount = 0, fee_amount = 0, net_amount = 0 "
        "where escrow_id = {hit_of_bob}",
        (3, "project {hit}"),
    ),
    corrupted(
        "a refund is rewritten as a release",
        "update pgwallet.escrow set status = 'released', released_amount = amount, "
        "refunded_amount = 0, commission_amount = 1, fee_amount = 0.58, net_amount = 18.42 "
        "where escrow_id = {refunded}",
        (3, "escrow {refunded}"),
        (3, "project {film}"),
    ),
    corrupted(
        "a release and a refund of one project are exchanged",
        "update pgwallet.escrow as e set (status, released_amount, refunded_amount, "
        "commission_amount, fee_amount, net_amount) = (select o.status, o.released_amount, "
        "o.refunded_amount, o.commission_amount, o.fee_amount, o.net_amount "
        "from pgwallet.escrow as o where o.escrow_id in ({released}, {refunded}) "
        "and o.escrow_id <> e.escrow_id) where e.escrow_id in ({released}, {refunded})",
        (3, "escrow {released}"),
        (3, "escrow {refunded}"),
        (3, "project {film}"),
    ),
    corrupted(
        "a refund went to another wallet",
        "update pgwallet.posting set destination_account_id = {eve}, destination_balance = 20.00 "
        "where posting_id = {posting_refund};"
        "update pgwallet.account set balance = balance + 20 where account_id = {eve};"
        "update pgwallet.account set balance = balance - 20 where account_id = {bob}",
        (3, "escrow {refunded}"),
        (3, "project {film}"),
    ),
    corrupted(
        "a refund of a batch went to another wallet",
        "update pgwallet.posting set destination_account_id = {eve}, destination_balance = 9.00 "
        "where transaction_id = {tx_flop} and destination_account_id = {ada};"
        "update pgwallet.account set balance = 9.00 where account_id = {eve};"
        "update pgwallet.account set balance = balance - 9 where account_id = {ada}",
        (3, "project {flop}"),
    ),
    corrupted(
        "commission is shifted to net",
        "update pgwallet.escrow set commission_amount = 0, net_amount = net_amount + 1 "
        "where escrow_id = {released}",
        (3, "escrow {released}"),
        (3, "project {film}"),
    ),
    corrupted(
        "fee is shifted to net in a batch",
        "update pgwallet.escrow set fee_amount = 0, net_amount = net_amount + fee_amount "
        "where escrow_id = {hit_of_ada}",
        (3, "project {hit}"),
    ),
    corrupted(
        "commission is shifted between two escrows of a batch",
        "update pgwallet.escrow set commission_amount = commission_amount + d.amount, "
        "net_amount = net_amount - d.amount "
        "from (values ({hit_of_ada}, -0.10), ({hit_of_bob}, 0.10)) as d (id, amount) "
        "where escrow_id = d.id",
        (3, "escrow {hit_of_ada}"),
        (3, "escrow {hit_of_bob}"),
    ),
    corrupted(
        "the rate of a project is changed after a release",
        "update pgwallet.project set commission_rate = 0.2 where project_id = {film}",
        (3, "escrow {released}"),
    ),
    corrupted(
        "an escrow that was released is deleted",
        "delete from pgwallet.escrow where escrow_id = {released}",
        (3, "escrow {released}"),
        (3, "project {film}"),
    ),
    corrupted(
        "an escrow that was refunded in a batch is deleted",
        "delete from pgwallet.escrow where escrow_id = {flop_of_bob}",
        (3, "escrow {flop_of_bob}"),
        (3, "project {flop}"),
    ),
    corrupted(
        "a released escrow is forged",
        "insert into pgwallet.escrow (escrow_id, project_id, wallet_id, status, amount, "
        "released_amount, commission_amount, fee_amount, net_amount) "
        "values (-1024, {song}, {eve}, 'released', 10, 10, 0.5, 0.29, 9.21)",
        (3, "escrow -1024"),
        (3, "project {song}"),
    ),
    corrupted(
        "a pledge names the escrow of another",
        "update pgwallet.transaction set escrow_id = {twin} where transaction_id = {tx_pledge}",
        (3, "escrow {twin}"),
        (3, "escrow {locked}"),
    ),
    corrupted(
        "a pledge names no escrow any more",
        "update pgwallet.transaction set escrow_id = null where transaction_id = {tx_pledge}",
        (3, "transaction {tx_pledge}"),
        (3, "escrow {locked}"),
    ),
    corrupted(
        "a deposit names an escrow",
        "update pgwallet.transaction set escrow_id = {locked} where transaction_id = {tx_salary}",
        (3, "escrow {locked}"),
    ),
    corrupted(
        "a refund names an escrow of another wallet",
        "update pgwallet.transaction set escrow_id = {locked} where transaction_id = {tx_refund}",
        (3, "escrow {locked}"),
        (6, "transaction {tx_refund}"),
    ),
    corrupted(
        "an escrow has the id of an account",
        "update pgwallet.transaction set escrow_id = {rent} where escrow_id = {locked};"
        "update pgwallet.escrow set escrow_id = {rent} where escrow_id = {locked}",
        (3, "escrow {rent}"),
    ),
]

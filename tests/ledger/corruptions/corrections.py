"""Pledges that changed and releases that came back otherwise than posted, and what settled what."""

from .corruption import corrupted

CORRECTIONS = [
    corrupted(
        "a pledge was raised by more than was paid",
        "update pgwallet.escrow set amount = 26 where escrow_id = {raised}",
        (2, "project {tour}"),
        (3, "project {tour}"),
        (3, "escrow {raised}"),
    ),
    corrupted(
        "a raise names the escrow of another",
        "update pgwallet.transaction set escrow_id = {disputed} where transaction_id = {tx_raised}",
        (3, "escrow {raised}"),
        (3, "escrow {disputed}"),
    ),
    corrupted(
        "a raise goes to another project",
        "update pgwallet.posting set destination_account_id = {escrows_of_song} "
        "where transaction_id = {tx_raised}",
        (2, "project {tour}"),
        (3, "escrow {raised}"),
    ),
    corrupted(
        "a refunded release gave back commission that it kept",
        "update pgwallet.escrow set commission_amount = commission_amount - 0.1, "
        "net_amount = net_amount + 0.1 where escrow_id = {charged}",
        (3, "escrow {charged}"),
        (3, "project {tour}"),
    ),
    corrupted(
        "a refunded release kept more than was ever taken",
        "update pgwallet.escrow set commission_amount = commission_amount + 0.1, "
        "net_amount = net_amount - 0.1 where escrow_id = {kept}",
        (3, "escrow {kept}"),
        (3, "project {tour}"),
    ),
    corrupted(
        "a refund of a release is not in the escrow",
        "update pgwallet.escrow set released_amount = 20, refunded_amount = 0, "
        "commission_amount = 1, fee_amount = 0.58, net_amount = 18.42, status = 'released' "
        "where escrow_id = {charged}",
        (3, "escrow {charged}"),
        (3, "project {tour}"),
    ),
    corrupted(
        "a refund of a release names the escrow of another wallet",
        "update pgwallet.transaction set escrow_id = {other} where transaction_id = {tx_charged}",
        (3, "escrow {other}"),
    ),
    corrupted(
        "a refund of a release goes to another wallet",
        "update pgwallet.posting set destination_account_id = {eve} "
        "where transaction_id = {tx_charged}",
        (3, "escrow {charged}"),
        (3, "project {tour}"),
    ),
    corrupted(
        "a net is below zero though nothing came back",
        "update pgwallet.escrow set net_amount = -0.58, commission_amount = 20 "
        "where escrow_id = {released}",
        (3, "escrow {released}"),
    ),
    corrupted(
        "an escrow is settled by a deposit",
        "update pgwallet.escrow set settled_by = {tx_salary} where escrow_id = {released}",
        (3, "escrow {released}"),
    ),
    corrupted(
        "an escrow is settled by the release of another",
        "update pgwallet.escrow set settled_by = {tx_release} where escrow_id = {refunded}",
        # Of several that cannot both be right, the first is named.
        (3, "escrow {released}"),
    ),
    corrupted(
        "an escrow is settled by a batch of another project",
        "update pgwallet.escrow set settled_by = {tx_flop} where escrow_id = {hit_of_ada}",
        (3, "escrow {hit_of_ada}"),
    ),
    corrupted(
        "a batch of releases settled more than say so",
        "update pgwallet.transaction set settled_count = settled_count + 1 "
        "where transaction_id = {tx_hit}",
        (3, "escrow {hit_of_ada}"),
    ),
    corrupted(
        "an escrow of a batch of refunds is settled by another call",
        "update pgwallet.escrow set settled_by = {tx_release} where escrow_id = {flop_of_bob}",
        (3, "escrow {flop_of_ada}"),
    ),
    corrupted(
        "an escrow is settled by what does not exist",
        "update pgwallet.escrow set settled_by = -1 where escrow_id = {hit_of_ada}",
        (3, "escrow {hit_of_ada}"),
    ),
    corrupted(
        "an escrow is settled by nothing",
        "update pgwallet.escrow set settled_by = null where escrow_id = {flop_of_bob}",
        (3, "escrow {flop_of_bob}"),
    ),
    corrupted(
        "an escrow that holds something is settled",
        "update pgwallet.escrow set settled_by = {tx_release} where escrow_id = {disputed}",
        (3, "escrow {disputed}"),
    ),
    corrupted(
        "an escrow came back expired that never expires",
        "update pgwallet.escrow set status = 'expired' where escrow_id = {refunded}",
        (3, "escrow {refunded}"),
    ),
]

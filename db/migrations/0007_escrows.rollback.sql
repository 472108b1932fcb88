drop table pgwallet.escrow;

drop type pgwallet.escrow_status;

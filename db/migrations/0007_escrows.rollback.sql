drop table pgwallet.escrow;

drop domain pgwallet.escrow_status;

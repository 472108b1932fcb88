drop table pgwallet.transaction;

drop type pgwallet.transaction_kind;

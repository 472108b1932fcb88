drop table pgwallet.transaction;

drop domain pgwallet.transaction_kind;

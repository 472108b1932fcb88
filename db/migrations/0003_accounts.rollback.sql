drop table pgwallet.account;

drop type pgwallet.account_kind;

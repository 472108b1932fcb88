drop table pgwallet.account;

drop function pgwallet._refuse_change();

drop domain pgwallet.account_kind;

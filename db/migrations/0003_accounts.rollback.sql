drop table pgwallet.account;

drop trigger refuse_other_decimals on pgwallet.currency;
drop trigger refuse_row_change on pgwallet.settings;
drop trigger refuse_change on pgwallet.settings;

drop function pgwallet._refuse_change();

drop domain pgwallet.credit_limit;
drop domain pgwallet.account_kind;

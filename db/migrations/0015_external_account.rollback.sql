alter table pgwallet.account drop column external_account_id;

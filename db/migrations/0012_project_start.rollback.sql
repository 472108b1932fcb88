alter table pgwallet.project drop column first_transaction_id;

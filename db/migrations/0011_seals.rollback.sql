drop table pgwallet.seal_balance;
drop table pgwallet.seal;

drop table pgwallet.wallet;

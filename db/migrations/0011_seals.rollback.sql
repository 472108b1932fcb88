drop table pgwallet.seal;

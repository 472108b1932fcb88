drop table pgwallet.pocket;

drop table pgwallet.posting;

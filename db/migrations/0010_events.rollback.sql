drop table pgwallet.event;

drop table pgwallet.currency;

drop sequence pgwallet.id_seq;

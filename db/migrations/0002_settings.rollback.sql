drop table pgwallet.settings;

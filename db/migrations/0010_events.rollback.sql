drop trigger record_change on pgwallet.currency;
drop trigger record_change on pgwallet.settings;

drop function pgwallet._record_change();

drop table pgwallet.event;

drop function pgwallet._is_router();

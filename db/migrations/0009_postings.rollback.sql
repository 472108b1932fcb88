drop table pgwallet.posting;

drop trigger refuse_change on pgwallet.transaction;

drop function pgwallet._refuse_change();

drop table pgwallet.project;

drop type pgwallet.project_status;

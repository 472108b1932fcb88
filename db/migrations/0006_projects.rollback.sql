drop table pgwallet.project;

drop domain pgwallet.project_status;

drop table pgwallet.seal_project;
drop table pgwallet.seal_flow;
drop table pgwallet.seal_balance;
drop table pgwallet.seal;

drop table pgwallet.role_grant;

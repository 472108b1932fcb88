comment on table pgwallet.role_grant is
'Roles that grant_app, grant_operator and grant_auditor were called for. To take an access away, '
'delete the row and run: revoke execute on all routines in schema pgwallet from the_role.';

drop view pgwallet.transaction_log;
drop view pgwallet.platform_summary;
drop view pgwallet.project_summary;
drop view pgwallet.escrow_summary;
drop view pgwallet.pocket_summary;
drop view pgwallet.wallet_summary;

drop index pgwallet.escrow_settled_idx;

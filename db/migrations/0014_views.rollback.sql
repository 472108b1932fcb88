drop view pgwallet.transaction_log;
drop view pgwallet.platform_summary;
drop view pgwallet.flow;
drop view pgwallet.project_summary;
drop view pgwallet.escrow_summary;
drop view pgwallet.pocket_summary;
drop view pgwallet.wallet_summary;

-- Where a project's transactions begin, so that a check of it need not read older ones.
--
-- depends: 0011_deployment

alter table pgwallet.project add column first_transaction_id bigint not null default 0;

comment on column pgwallet.project.first_transaction_id is
'No transaction with a smaller id concerns the project.';

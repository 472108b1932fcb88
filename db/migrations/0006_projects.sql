-- Projects: what wallets pledge money to.
--
-- depends: 0005_pockets

create domain pgwallet.project_status as text collate "C"
constraint project_status_known check (value in ('open', 'succeeded', 'failed'));

comment on domain pgwallet.project_status is 'Whether a project takes pledges, or how it ended.';

create table pgwallet.project (
  project_id bigint primary key references pgwallet.account,
  reference text collate "C" not null
  check (
    length(reference) <= 200 and reference
    ~ E'[^\\u0001-\\u0020\\u007f\\u0085\\u00a0\\u00ad\\u034f\\u061c\\u115f\\u1160'
    '\\u1680\\u17b4\\u17b5\\u180b-\\u180f\\u2000-\\u200f\\u2028-\\u202f\\u205f-'
    '\\u206f\\u2800\\u3000\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufffb'
    '\\U000e0000-\\U000e0fff]'
  ),
  currency text collate "C" not null references pgwallet.currency,
  status pgwallet.project_status not null default 'open',
  commission_rate numeric not null check (commission_rate between 0 and 1),
  fee_rate numeric not null check (fee_rate between 0 and 1),
  fee_fixed numeric not null check (fee_fixed >= 0 and fee_fixed < 1000000000000000),
  max_pledge numeric not null check (max_pledge >= 0 and max_pledge < 1000000000000000),
  escrow_account_id bigint not null unique references pgwallet.account,
  first_transaction_id bigint not null default 0,
  request text not null,
  created_at timestamptz not null default now(),
  closed_at timestamptz,
  frozen_at timestamptz,
  constraint project_reference_key unique (reference),
  constraint project_rates_check check (commission_rate + fee_rate <= 1),
  constraint project_closed_check check ((status = 'open') = (closed_at is null))
);

comment on table pgwallet.project is 'What wallets pledge money to.';
comment on column pgwallet.project.reference is 'The project, as the application calls it.';
comment on column pgwallet.project.commission_rate is
'Part of a released amount that the platform takes, fixed when the project was created.';
comment on column pgwallet.project.fee_rate is
'Part of a released amount that pays for payments, fixed when the project was created.';
comment on column pgwallet.project.fee_fixed is
'What each released escrow pays once for payments, fixed when the project was created.';
comment on column pgwallet.project.max_pledge is 'The largest single pledge, in major units.';
comment on column pgwallet.project.escrow_account_id is
'The account that holds what is locked for the project.';
comment on column pgwallet.project.first_transaction_id is
'No transaction with a smaller id concerns the project, so that a check of it reads none.';
comment on column pgwallet.project.frozen_at is
'Since when it takes no pledges, as its account says too, which pledges do not read.';
comment on column pgwallet.project.request is
'The arguments it was created with, to tell the same call again from another one.';

create trigger refuse_change
before delete or truncate on pgwallet.project
for each statement execute function pgwallet._refuse_change();

create trigger refuse_row_change
before delete on pgwallet.project
for each row execute function pgwallet._refuse_change();

alter table pgwallet.project
enable always trigger refuse_change,
enable always trigger refuse_row_change;

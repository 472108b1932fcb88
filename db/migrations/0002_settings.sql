-- The one row of settings that a DBA updates.
--
-- depends: 0001_currencies

create table pgwallet.settings (
  only_row boolean primary key default true check (only_row),
  commission_rate numeric not null default 0.05 check (commission_rate between 0 and 1),
  fee_rate numeric not null default 0.029 check (fee_rate between 0 and 1),
  fee_fixed numeric not null default 0 check (fee_fixed >= 0 and fee_fixed < 1000000000000000),
  max_pledge numeric not null default 100000
  check (max_pledge > 0 and max_pledge < 1000000000000000),
  max_pockets_per_allocation integer not null default 100 check (max_pockets_per_allocation > 0),
  max_metadata_bytes integer not null default 10000 check (max_metadata_bytes >= 1000),
  constraint settings_rates_check check (commission_rate + fee_rate <= 1),
  constraint settings_decimals_check check (
    scale(trim_scale(commission_rate)) <= 20 and scale(trim_scale(fee_rate)) <= 20
  )
);

comment on table pgwallet.settings is 'Defaults and limits: one row, which a DBA updates.';
comment on column pgwallet.settings.commission_rate is
'Part of a released amount that the platform takes; the default for new projects.';
comment on column pgwallet.settings.fee_rate is
'Part of a released amount that pays for payments; the default for new projects.';
comment on column pgwallet.settings.fee_fixed is
'What each released escrow pays once for payments, in major units; the default for new projects.';
comment on column pgwallet.settings.max_pledge is
'The largest single pledge, in major units; the default for new projects.';
comment on column pgwallet.settings.max_pockets_per_allocation is
'How many pockets take part in the allocation of one deposit.';
comment on column pgwallet.settings.max_metadata_bytes is
'How many bytes the metadata of one call may take, written as text; at least 1,000.';

insert into pgwallet.settings default values;

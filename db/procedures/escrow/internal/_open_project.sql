-- Makes a project, or returns it again. p_drawn_id is the id that a cluster gave it, where its
-- other shards have it under the same one; then whoever gave it has asked who may choose an id.
--
-- Two calls at once make one project: the second waits on the reference, or on the lock that a
-- call with an id takes on all ids of slot 0.
create or replace function pgwallet._open_project(
  p_reference text,
  p_currency text,
  p_commission_rate numeric,
  p_fee_rate numeric,
  p_max_pledge numeric,
  p_project_id bigint,
  p_fee_fixed numeric,
  p_drawn_id bigint
)
returns table (
  project_id bigint, reference text, currency text, status text,
  commission_rate numeric, fee_rate numeric, fee_fixed numeric, max_pledge numeric
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_id bigint := coalesce(p_drawn_id, p_project_id);
  v_settings pgwallet.settings;
  v_commission_rate numeric;
  v_fee_rate numeric;
  v_request text;
  v_other_request text;
  v_exponent integer;
  v_max_pledge numeric;
  v_project_id bigint;
  v_is_new boolean := false;
begin
  if p_max_pledge is not null and (p_max_pledge > 0 and p_max_pledge < 1000000000000000) is not true
  then
    perform pgwallet._refuse_amount(p_max_pledge);
  end if;
  if p_fee_fixed is not null and (p_fee_fixed >= 0 and p_fee_fixed < 1000000000000000) is not true
  then
    raise exception using
      errcode = 'PW001',
      message = format('fixed fee %s is not valid', p_fee_fixed),
      detail = 'It is a number from 0 up and below 1000000000000000, in major units.',
      hint = 'Pass what each pledge pays once, such as 0.30, or 0 for nothing.';
  end if;
  perform pgwallet._check_text('reference', p_reference);

  select s.* into v_settings from pgwallet.settings as s;
  if not found then
    perform pgwallet._refuse_missing_settings();
  end if;
  v_commission_rate := trim_scale(coalesce(p_commission_rate, v_settings.commission_rate));
  v_fee_rate := trim_scale(coalesce(p_fee_rate, v_settings.fee_rate));
  if not (
    v_commission_rate between 0 and 1 and v_fee_rate between 0 and 1
    -- By today's settings, which are nothing to a project that has its rates.
    and (
      v_commission_rate + v_fee_rate <= 1
      or exists (select from pgwallet.project as p where p.reference = p_reference collate "C")
    )
    and scale(v_commission_rate) <= 20 and scale(v_fee_rate) <= 20
  ) then
    raise exception using
      errcode = 'PW002',
      message = 'the rates of a project are not valid',
      detail = format('The commission rate is %s, the fee rate %s.', v_commission_rate, v_fee_rate),
      hint = 'Each is from 0 to 1 with up to 20 decimals, and they sum to at most 1; '
        '0.05 is 5 percent.';
  end if;

  if p_project_id is not null and p_drawn_id is null then
    perform pgwallet._check_operator('p_project_id');
  end if;
  -- The sequence moves past it, and ids beyond 2^53 are rounded by clients that read JSON.
  if p_project_id < 1024 or p_project_id % 1024 <> 0 or p_project_id >= 1::bigint << 45 then
    raise exception using
      errcode = 'PW002',
      message = format('project_id %s is not the id of a project', p_project_id),
      detail = 'Projects have ids of slot 0: multiples of 1024 from 1024 up to 2^45.',
      hint = 'Leave it out to get the next one.';
  end if;

  v_exponent := pgwallet._find_exponent(p_currency);
  if scale(trim_scale(p_max_pledge)) > v_exponent then
    perform pgwallet._refuse_decimals(p_max_pledge, p_currency, v_exponent);
  end if;
  if scale(trim_scale(p_fee_fixed)) > v_exponent then
    perform pgwallet._refuse_decimals(p_fee_fixed, p_currency, v_exponent);
  end if;
  -- What is much in one currency is little in another.
  select coalesce(p_max_pledge, c.max_pledge, v_settings.max_pledge) into v_max_pledge
  from pgwallet.currency as c where c.currency = p_currency collate "C";

  -- Compared text by text with what rows of users hold already, so its format stays.
  v_request := format(
    'create_project(%L, %s, %s, %s, %s, %s, %s)', p_reference, p_currency,
    coalesce(trim_scale(p_commission_rate)::text, 'null'),
    coalesce(trim_scale(p_fee_rate)::text, 'null'),
    coalesce(trim_scale(p_max_pledge)::text, 'null'),
    coalesce(p_project_id::text, 'null'),
    coalesce(trim_scale(p_fee_fixed)::text, 'null')
  );

  if v_id is not null then
    perform pg_advisory_xact_lock(hashtextextended('pgwallet.id_seq', 0));
  end if;
  if not exists (
    select from pgwallet.project as p where p.reference = p_reference collate "C"
  ) then
    perform pgwallet._reserve_project_id(v_id);

    -- A balance has its currency's decimals from the start: other functions read them from it.
    with opened as (
      insert into pgwallet.project as p (
        project_id, reference, currency, commission_rate, fee_rate, fee_fixed, max_pledge,
        escrow_account_id, first_transaction_id, request
      )
      values (
        coalesce(v_id, pgwallet._draw_account_id(0)), p_reference, p_currency,
        v_commission_rate, v_fee_rate,
        round(trunc(coalesce(p_fee_fixed, v_settings.fee_fixed), v_exponent), v_exponent),
        round(trunc(v_max_pledge, v_exponent), v_exponent),
        pgwallet._draw_account_id(0),
        (select q.last_value from pgwallet.transaction_id_seq as q),
        v_request
      )
      on conflict on constraint project_reference_key do nothing
      returning p.project_id, p.escrow_account_id, p.currency
    )

    insert into pgwallet.account (account_id, kind, currency, balance, external_account_id)
    select
      o.project_id, 'project'::pgwallet.account_kind, o.currency, round(0.0, v_exponent),
      c.external_account_id
    from opened as o
    inner join pgwallet.currency as c on c.currency = o.currency
    union all
    select o.escrow_account_id, 'escrow', o.currency, null, null
    from opened as o;
    v_is_new := found;
  end if;

  -- A fresh statement, which sees the project of a call that was faster.
  select p.project_id, p.request into v_project_id, v_other_request
  from pgwallet.project as p where p.reference = p_reference collate "C";
  if v_other_request <> v_request then
    raise exception using
      errcode = 'PW002',
      message = format('project %L exists with other arguments', p_reference),
      detail = format('It was made by %s, this is %s.', v_other_request, v_request),
      hint = 'Repeat the first arguments to get it, or take another reference.';
  end if;

  if v_is_new then
    perform pgwallet._insert_event(
      'create_project', v_project_id, null,
      jsonb_build_object(
        'reference', p.reference, 'currency', p.currency, 'commission_rate', p.commission_rate,
        'fee_rate', p.fee_rate, 'fee_fixed', p.fee_fixed, 'max_pledge', p.max_pledge
      )
    )
    from pgwallet.project as p
    where p.project_id = v_project_id;
  end if;

  return query
  select
    p.project_id, p.reference, p.currency, p.status::text,
    p.commission_rate, p.fee_rate, p.fee_fixed, p.max_pledge
  from pgwallet.project as p
  where p.project_id = v_project_id;
end;
$function$;

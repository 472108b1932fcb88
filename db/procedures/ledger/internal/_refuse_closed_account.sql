-- Refuses to move money of a closed wallet or pocket.
create or replace function pgwallet._refuse_closed_account(
  p_kind text,
  p_account_id bigint,
  p_closed_at timestamptz
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  raise exception using
    errcode = 'PW209',
    message = format('%s %s is closed', p_kind, p_account_id),
    detail = format('It was closed at %s.', p_closed_at),
    hint = case p_kind
      when 'pocket' then 'Use another pocket, or make a new one: its name is free again.'
      else 'Use another wallet; only refunds still reach a closed one.'
    end;
end;
$function$;

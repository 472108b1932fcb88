-- Refuses an id that is null, unknown, or of another kind of account.
create or replace function pgwallet._refuse_missing(p_kind text, p_id bigint)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_other text;
begin
  select a.kind::text into v_other from pgwallet.account as a where a.account_id = p_id;

  raise exception using
    errcode = case p_kind
      when 'wallet' then 'PW101'
      when 'pocket' then 'PW102'
      when 'project' then 'PW103'
      when 'escrow' then 'PW104'
      else 'PW105'
    end,
    message = format('%s %s does not exist', p_kind, coalesce(p_id::text, 'null')),
    detail = case
      when p_id is null then 'The id is null.'
      when v_other is not null then format('The id is that of another account: %s.', v_other)
      else 'Nothing has this id.'
    end,
    hint = case p_kind
      when 'wallet' then 'Use the wallet_id that create_wallet returned.'
      when 'pocket' then 'Use the pocket_id that create_pocket returned.'
      when 'project' then 'Use the project_id that create_project returned.'
      when 'escrow' then 'Use the escrow_id that pledge returned.'
      else 'Use the id of a wallet, a pocket, a project or another account.'
    end;
end;
$function$;

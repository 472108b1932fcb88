-- Refuses an account that is neither a wallet nor a project, and returns which of both it is.
--
-- Locks nothing: the kind of an account never changes.
create or replace function pgwallet._check_holder(p_account_id bigint)
returns pgwallet.account_kind
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $function$
declare
  v_kind pgwallet.account_kind;
begin
  select a.kind into v_kind from pgwallet.account as a where a.account_id = p_account_id;
  if not found then
    perform pgwallet._refuse_missing('account', p_account_id);
  end if;
  if v_kind not in ('wallet', 'project') then
    raise exception using
      errcode = 'PW105',
      message = format('account %s is neither a wallet nor a project', p_account_id),
      detail = format('The id is that of another account: %s.', v_kind),
      hint = case v_kind
        when 'pocket' then 'Use the id of its wallet, which holds for its pockets, too.'
        else 'Use the id of a wallet or a project.'
      end;
  end if;
  return v_kind;
end;
$function$;

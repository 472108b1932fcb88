-- Finds wallets of which the event of their creation does not say that they are their owner's; of
-- some or, for null, of all. Whose was erased has no salt any more, and an event that tells of it.
--
-- The first event of a wallet is the one of its creation. Another that is added later says nothing.
create or replace function pgwallet._find_wrong_owners(p_wallet_ids bigint[])
returns table (wallet_id bigint, event_id bigint, detail text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $function$
begin
  return query
  select
    w.wallet_id, e.event_id,
    case
      when w.owner_salt is null and w.owner_id ~ '^erased-'
        then 'No event says that its owner was erased.'
      else 'Its owner is not the one that it was created for.'
    end
  from pgwallet.wallet as w
  left join lateral (
    select f.event_id, f.kind, f.after
    from pgwallet.event as f
    where f.subject_id = w.wallet_id
    order by f.event_id
    limit 1
  ) as e on true
  where (p_wallet_ids is null or w.wallet_id = any(p_wallet_ids))
    and (
      case
        when w.owner_salt is not null
          then e.kind = 'create_wallet'
            and e.after ->> 'owner_digest' = pgwallet._owner_digest(w.owner_salt, w.owner_id)
        else w.owner_id ~ '^erased-' and exists (
          select
          from pgwallet.event as x
          where x.subject_id = w.wallet_id and x.kind = 'erase_owner'
        )
      end
    ) is not true
  order by w.wallet_id;
end;
$function$;

-- Tells that postings have larger ids than their sequence gave out: nobody can read on past those
-- that it gives out next. So after a restore that lost the sequence; pgwallet status mends it.
create or replace function pgwallet._warn_of_late_sequence()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
as $function$
declare
  v_newest bigint;
  v_last bigint;
begin
  select p.posting_id into v_newest
  from pgwallet.posting as p
  order by p.transaction_id desc, p.posting_id desc
  limit 1;
  -- Afterwards, since ids are drawn all the time.
  select s.last_value into v_last from pgwallet.posting_id_seq as s;
  if v_newest > v_last then
    raise warning using
      message = format(
        'postings after id %s are not read on: the sequence of their ids is behind', v_last
      ),
      detail = format('There is a posting %s.', v_newest),
      hint = 'See pgwallet status, or call pgwallet.skip_ids.';
  end if;
end;
$function$;

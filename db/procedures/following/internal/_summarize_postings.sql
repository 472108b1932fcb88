-- Brings the index of posting ids up to what was written. The server does that once a minute, and
-- pages that it has not come to yet are read by each who reads any.
--
-- Locks the index and the table against vacuum, for an instant, or leaves it. Writers go on. It
-- leaves out what is still being filled: there the index would cost them.
create or replace function pgwallet._summarize_postings()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set lock_timeout = '5ms'
as $function$
declare
  -- As the index was made.
  c_pages_per_range constant integer := 32;
  v_range bigint := pg_relation_size('pgwallet.posting') / current_setting('block_size')::integer
    / c_pages_per_range - 1;
begin
  while v_range >= 0 and not pg_is_in_recovery()
    and brin_summarize_range('pgwallet.posting_id_idx', v_range * c_pages_per_range) > 0
  loop
    v_range := v_range - 1;
  end loop;
exception
  when lock_not_available then
    return;
end;
$function$;

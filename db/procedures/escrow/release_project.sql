-- Releases all escrows of a project in batches, with a commit after each, for a DBA in psql.
-- Closes the project as succeeded first. Stopped half-way, the next call goes on.
--
-- Runs with the rights of its caller: PostgreSQL lets a procedure commit only without security
-- definer and without set clauses. So it pins search_path itself, again after every commit.
create or replace procedure pgwallet.release_project(
  p_project_id bigint,
  p_batch_size integer default 1000
)
language plpgsql
as $procedure$
declare
  v_wait boolean;
  v_after_escrow_id bigint;
  v_batch_count integer;
  v_batch_amount numeric;
  v_escrow_count bigint := 0;
  v_amount numeric := 0;
begin
  perform pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  -- Before the project is closed for good; the batches would refuse it too.
  if (p_batch_size >= 1) is not true then
    raise exception using
      errcode = 'PW002',
      message = pg_catalog.format('batch size %s is not valid', coalesce(p_batch_size::text, 'null')),
      detail = 'A batch takes from 1 escrow up.',
      hint = 'Pass a number such as 1000, or leave it out.';
  end if;
  perform pgwallet.close_project(p_project_id, 'succeeded');
  commit;
  perform pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);

  -- The first pass leaves out what others hold, the second waits for it.
  foreach v_wait in array array[false, true] loop
    v_after_escrow_id := 0;
    loop
      select b.escrow_count, b.gross_amount, coalesce(b.last_escrow_id, 0)
      into v_batch_count, v_batch_amount, v_after_escrow_id
      from pgwallet.release_escrows(p_project_id, p_batch_size, v_after_escrow_id, v_wait) as b;
      commit;
      perform pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
      exit when v_batch_count = 0;

      v_escrow_count := v_escrow_count + v_batch_count;
      v_amount := v_amount + v_batch_amount;
      raise notice using message = pg_catalog.format(
        'project %s: %s escrows released, %s in all', p_project_id, v_escrow_count, v_amount
      );
    end loop;
  end loop;

  raise notice using message = pg_catalog.format(
    'project %s: done, %s escrows released, %s in all', p_project_id, v_escrow_count, v_amount
  );
end;
$procedure$;

comment on procedure pgwallet.release_project(bigint, integer) is  -- noqa: LT01
'Releases all escrows of a project in committed batches, outside of a transaction block. '
'Raises: PW002, PW103, PW204.';

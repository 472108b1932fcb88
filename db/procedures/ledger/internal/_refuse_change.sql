-- Refuses to change what was recorded, for everybody, the owner too. The migration that makes
-- the tables has attached it to them.
create or replace function pgwallet._refuse_change()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  raise exception using
    errcode = 'PW901',
    message = format('%s of %s.%s is refused', lower(tg_op), tg_table_schema, tg_table_name),
    detail = 'Transactions and postings are only ever inserted.',
    hint = 'Correct a mistake by a movement the other way.';
end;
$function$;

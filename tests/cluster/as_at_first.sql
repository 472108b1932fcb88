-- On a shard that tests have one after another: what its tables held at first, so that they can be
-- made the same again.
create schema pgwallet_test;

create function pgwallet_test.tables()
returns setof text
language sql
stable
as $function$
  select c.relname::text
  from pg_class as c
  where c.relnamespace = 'pgwallet'::regnamespace and c.relkind = 'r'
    and c.relname not in ('deployment', '_yoyo_migration')
  union all
  select 'pgwallet_shard.' || c.relname::text
  from pg_class as c
  where c.relnamespace = 'pgwallet_shard'::regnamespace and c.relkind = 'r'
$function$;

do $do$
declare
  v_table text;
  v_trigger record;
begin
  for v_table in select t.name from pgwallet_test.tables() as t (name) loop
    execute format(
      'create table pgwallet_test.%I as table %s',
      v_table, case when v_table like '%.%' then v_table else 'pgwallet.' || v_table end
    );
  end loop;
  -- Those that keep rows from being deleted: as they are, but not for a replica, which
  -- make_as_at_first says that it is.
  for v_trigger in
    select g.tgname as name, g.tgrelid::regclass as relation
    from pg_trigger as g
    where g.tgenabled = 'A'
  loop
    execute format('alter table %s enable trigger %I', v_trigger.relation, v_trigger.name);
  end loop;
end;
$do$;

create function pgwallet_test.make_as_at_first()
returns void
language plpgsql
set session_replication_role = replica
as $function$
declare
  v_table text;
  v_name text;
begin
  for v_name in select t.name from pgwallet_test.tables() as t (name) loop
    v_table := case when v_name like '%.%' then v_name else 'pgwallet.' || v_name end;
    execute format(
      'delete from %s as t where not exists '
      '(select from pgwallet_test.%I as f where f::text = t::text)',
      v_table, v_name
    );
    execute format(
      'insert into %1$s overriding system value select f.* from pgwallet_test.%2$I as f '
      'where not exists (select from %1$s as t where f::text = t::text)',
      v_table, v_name
    );
  end loop;
end;
$function$;

-- The same only as long as no row was written.
create function pgwallet_test.state()
returns text
language plpgsql
as $function$
declare
  v_table text;
  v_sum numeric;
  v_state text := '';
begin
  for v_table in select t.name from pgwallet_test.tables() as t (name) loop
    execute format(
      'select sum(hashtextextended(t.ctid::text || t.xmin::text, 0)) from %s as t',
      case when v_table like '%.%' then v_table else 'pgwallet.' || v_table end
    ) into v_sum;
    v_state := format('%s %s', v_state, v_sum);
  end loop;
  return v_state;
end;
$function$;

-- Changes the row that was p_old, or deletes it if p_new is null.
create function pgwallet_test.change(p_table text, p_old jsonb, p_new jsonb)
returns integer
language plpgsql
as $function$
declare
  v_columns text;
  v_count integer;
begin
  select string_agg(format('%I', n.key), ', ') into v_columns
  from jsonb_each(p_new) as n
  where n.value is distinct from p_old -> n.key;
  if v_columns is null and p_new is not null then
    return 0;
  end if;
  -- A balance of what is everywhere is shown as the sum.
  execute format(
    case
      when p_new is null then 'delete from pgwallet.%1$I as t where to_jsonb(t) - ''balance'' = $1'
      else 'update pgwallet.%1$I as t set (%2$s) = (select %2$s from '
        'jsonb_populate_record(null::pgwallet.%1$I, $2)) where to_jsonb(t) - ''balance'' = $1'
    end,
    p_table, v_columns
  ) using p_old - 'balance', p_new;
  get diagnostics v_count = row_count;
  return v_count;
end;
$function$;

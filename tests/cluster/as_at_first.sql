-- On a shard that tests have one after another: what its tables held at first, so that they can be
-- made the same again.
create schema pgwallet_test;

create function pgwallet_test.tables()
returns setof text
language sql
stable
as $function$
  select format('%I.%I', n.nspname, c.relname)
  from pg_class as c
  inner join pg_namespace as n on n.oid = c.relnamespace
  where n.nspname in ('pgwallet', 'pgwallet_shard') and c.relkind = 'r'
    and c.relname !~ '^deployment$|yoyo'
$function$;

-- What keeps rows from being deleted, also on a replica, which make_as_at_first says that it is.
create table pgwallet_test.guard as
select g.tgrelid as relation, g.tgname as trigger from pg_trigger as g where g.tgenabled = 'A';

do $do$
declare
  v_table text;
begin
  for v_table in select t.name from pgwallet_test.tables() as t (name) loop
    execute format('create table pgwallet_test.%I as table %s', v_table, v_table);
  end loop;
end;
$do$;

create function pgwallet_test.turn_guards(p_table text, p_how text)
returns void
language plpgsql
as $function$
declare
  v_changes text;
begin
  select string_agg(format('%s trigger %I', p_how, g.trigger), ', ') into v_changes
  from pgwallet_test.guard as g
  where g.relation = p_table::regclass;
  if v_changes is not null then
    execute format('alter table %s %s', p_table, v_changes);
  end if;
end;
$function$;

-- The same only as long as no row of the table was written.
create function pgwallet_test.state_of(p_table text)
returns numeric
language plpgsql
as $function$
declare
  v_sum numeric;
begin
  execute format(
    'select coalesce(sum(hashtextextended(t.ctid::text || t.xmin::text, 0)), 0) from %s as t',
    p_table
  ) into v_sum;
  return v_sum;
end;
$function$;

create function pgwallet_test.state()
returns text
language sql
as $function$
  select string_agg(pgwallet_test.state_of(t.name)::text, ' ')
  from pgwallet_test.tables() as t (name)
$function$;

create table pgwallet_test.known as
select t.name, pgwallet_test.state_of(t.name) as state
from pgwallet_test.tables() as t (name);

create function pgwallet_test.make_as_at_first()
returns void
language plpgsql
set session_replication_role = replica
set enable_nestloop = off
as $function$
declare
  v_name text;
begin
  for v_name in
    select k.name from pgwallet_test.known as k where k.state <> pgwallet_test.state_of(k.name)
  loop
    perform pgwallet_test.turn_guards(v_name, 'disable');
    execute format(
      'delete from %s as t where not exists '
      '(select from pgwallet_test.%I as f where f::text = t::text)',
      v_name, v_name
    );
    execute format(
      'insert into %1$s overriding system value select f.* from pgwallet_test.%2$I as f '
      'where not exists (select from %1$s as t where f::text = t::text)',
      v_name, v_name
    );
    perform pgwallet_test.turn_guards(v_name, 'enable always');
    update pgwallet_test.known as k
    set state = pgwallet_test.state_of(v_name)
    where k.name = v_name;
  end loop;
end;
$function$;

-- From now on that is how the tables are at present.
create function pgwallet_test.remember()
returns void
language plpgsql
as $function$
declare
  v_name text;
begin
  for v_name in select k.name from pgwallet_test.known as k loop
    execute format('truncate pgwallet_test.%I', v_name);
    execute format('insert into pgwallet_test.%I select t.* from %s as t', v_name, v_name);
  end loop;
  update pgwallet_test.known as k set state = pgwallet_test.state_of(k.name);
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

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

-- `states` has of each table what is the same only as long as no row of it was written; `contents`
-- what is in each of the ledger, as numbers to compare. One statement for all tables: each test
-- waits for it.
do $do$
declare
  v_made record;
begin
  for v_made in
    select f.*
    from (
      values
      (
        'states() returns table (name text, state numeric)', '%',
        'coalesce(sum(hashtidextended(t.ctid, t.xmin::text::bigint)), 0)'
      ),
      (
        'contents() returns table (name text, rows bigint, digest numeric)', 'pgwallet.%',
        'count(*), coalesce(sum(hashtextextended(t::text, 0)), 0)'
      )
    ) as f (signature, tables, columns)
  loop
    execute format(
      'create function pgwallet_test.%s language plpgsql set jit = off '
      'as $function$ begin return query %s; end; $function$',
      v_made.signature,
      (
        select string_agg(
          format('select %L, %s from %s as t', t.name, v_made.columns, t.name), ' union all '
        )
        from pgwallet_test.tables() as t (name)
        where t.name like v_made.tables
      )
    );
  end loop;
end;
$do$;

create function pgwallet_test.state()
returns text
language sql
as $function$
  select string_agg(s.state::text, ' ') from pgwallet_test.states() as s
$function$;

create table pgwallet_test.known as
select s.name, s.state from pgwallet_test.states() as s;

create function pgwallet_test.note_states()
returns void
language sql
as $function$
  update pgwallet_test.known as k set state = s.state
  from pgwallet_test.states() as s
  where s.name = k.name and s.state <> k.state
$function$;

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
    select k.name
    from pgwallet_test.known as k
    inner join pgwallet_test.states() as s on s.name = k.name
    where s.state <> k.state
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
  end loop;
  if found then
    perform pgwallet_test.note_states();
  end if;
  for v_name in
    select distinct g.relation::regclass::text
    from pgwallet_test.guard as g
    inner join pg_trigger as t on t.tgrelid = g.relation and t.tgname = g.trigger
    where t.tgenabled <> 'A'
  loop
    perform pgwallet_test.turn_guards(v_name, 'enable always');
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
  perform pgwallet_test.note_states();
end;
$function$;

-- Does what a test does to tables by hand.
create function pgwallet_test.run(p_statement text)
returns integer
language plpgsql
as $function$
begin
  execute p_statement;
  return 0;
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

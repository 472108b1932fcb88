-- Refuses a text that is too long, or blank where p_required; null is refused only then.
create or replace function pgwallet._check_text(
  p_name text,
  p_text text,
  p_required boolean default true
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
  if p_required and p_text is null then
    raise exception using
      errcode = 'PW002',
      message = p_name || ' is null',
      detail = 'It needs 1 to 200 characters.',
      hint = 'Pass a text.';
  elsif p_required and pgwallet._is_blank(p_text) then
    raise exception using
      errcode = 'PW002',
      message = p_name || ' is blank',
      detail = format('It has %s characters, none of them visible.', length(p_text)),
      hint = 'Pass a text of 1 to 200 characters.';
  elsif length(p_text) > 200 then
    raise exception using
      errcode = 'PW002',
      message = p_name || ' is too long',
      detail = format('It has %s characters, at most 200 are allowed.', length(p_text)),
      hint = 'Pass a shorter text; a digest will do for a key.';
  end if;
end;
$function$;

-- Whether a text has no visible character: only blanks, controls and what is drawn as nothing. They
-- are listed by their numbers, as the tables do too: what a class such as [:space:] holds depends
-- on the locale, and a database would take what its dump could not be restored with elsewhere.
create or replace function pgwallet._is_blank(p_text text)
returns boolean
language sql
immutable
begin atomic
  select p_text !~ '[!-~]' and p_text
    !~ E'[^\\u0001-\\u0020\\u007f\\u0085\\u00a0\\u00ad\\u034f\\u061c\\u115f\\u1160'
    '\\u1680\\u17b4\\u17b5\\u180b-\\u180f\\u2000-\\u200f\\u2028-\\u202f\\u205f-'
    '\\u206f\\u2800\\u3000\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufffb'
    '\\U000e0000-\\U000e0fff]';
end;

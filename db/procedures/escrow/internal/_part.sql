-- What a rate takes of p_amount, after p_before was released and p_taken taken of that: so much
-- that all parts together are what one release of the whole would have taken.
create or replace function pgwallet._part(
  p_amount numeric,
  p_before numeric,
  p_taken numeric,
  p_rate numeric,
  p_exponent integer
)
returns numeric
language sql
immutable
begin atomic
  select round(
    greatest(0, least(p_amount, round((p_before + p_amount) * p_rate, p_exponent) - p_taken)),
    p_exponent
  );
end;

comment on function pgwallet._part(numeric, numeric, numeric, numeric, integer) is
'What a rate takes of an amount, given what was released and taken before.';

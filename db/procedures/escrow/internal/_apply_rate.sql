-- Takes the commission or the fee out of an amount, by its rate. After p_before was released and
-- p_taken taken of that, it takes so much that all parts together are what one release of the
-- whole would have taken, or as much as there is. A fixed fee is taken off p_taken: it is due, too.
--
-- A standard SQL body, which the planner writes out in the statements that use it.
create or replace function pgwallet._apply_rate(
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

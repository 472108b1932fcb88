-- The status of an escrow with these amounts.
--
-- A standard SQL body, whose words the domain checks where they are stored: the planner writes it
-- out in the statements that use it.
create or replace function pgwallet._escrow_status(
  p_amount numeric,
  p_released_amount numeric,
  p_refunded_amount numeric
)
returns pgwallet.escrow_status
language sql
immutable
begin atomic
  select (
    case
      when p_released_amount + p_refunded_amount < p_amount then 'locked'
      when p_refunded_amount = 0 then 'released'
      when p_released_amount = 0 then 'refunded'
      else 'settled'
    end
  )::pgwallet.escrow_status;
end;

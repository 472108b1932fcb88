-- Pockets in the order in which they take part in an allocation, so that none has to sort them.
--
-- depends: 0012_project_start

create index pocket_allocation_idx on pgwallet.pocket (
  wallet_id, allocation_percentage desc, pocket_id
)
where allocation_percentage > 0;

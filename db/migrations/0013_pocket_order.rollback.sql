drop index pgwallet.pocket_allocation_idx;

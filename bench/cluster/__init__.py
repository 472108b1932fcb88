"""What a router costs, and what more shards give."""

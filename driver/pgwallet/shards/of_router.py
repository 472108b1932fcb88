"""Functions that a router has with an argument more: of which shard."""

from .._call import Count
from .._function import database_function
from ..results import FeedRow


@database_function
def read_feed(after_posting_id: int, limit: Count, shard: Count) -> list[FeedRow]:
    """The next postings of one shard, as `pgwallet.read_feed` has them of one database."""

"""What somebody with the owner's rights can do to the tables, and where check_ledger says so.

Statements and subjects name the rows of the world in braces.
"""

from .balances import BALANCES
from .corrections import CORRECTIONS
from .corruption import Corruption
from .escrows import ESCROWS
from .guards import GUARDS
from .holders import HOLDERS
from .postings import POSTINGS
from .reversals import REVERSALS
from .states import STATES
from .unfindable import NOT_FOUND
from .world import ids_of_a_world

CORRUPTIONS = [*BALANCES, *CORRECTIONS, *ESCROWS, *POSTINGS, *REVERSALS, *HOLDERS, *STATES]

__all__ = ["CORRUPTIONS", "GUARDS", "NOT_FOUND", "Corruption", "ids_of_a_world"]

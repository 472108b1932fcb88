"""Prints docs/concepts/states.md from what the catalogue of calls says of each function.

`make reference` runs it; a test compares the page with the catalogue, and another one makes each
call in each state.
"""

from collections.abc import Iterator

from tests.catalogue.call_of import CallOf
from tests.catalogue.calls import CALLS
from tests.catalogue.states import STATES, answer

HEADER = """\
# States

A wallet or project may be frozen, a wallet or pocket closed, an escrow disputed, and who has credit
may owe something. This page says what each function does then. It is made by `make reference`, and
each cell of it is tested.

- **Frozen** (`freeze_account`): nothing leaves. A wallet takes deposits and refunds, and moves
  money to its pockets and back. A project receives what is released, but pays nothing out and
  takes no new pledges.
- **Closed** (`close_wallet`, `close_pocket`): for good. Money moves no more; only what is given
  back still reaches a closed wallet. A closed pocket leaves its name to another one.
- **Disputed** (`dispute_escrow`): what is left in the escrow stays there until the dispute is
  resolved.
- **Owes**: the balance is below 0, within its credit (`set_credit_limit`). More may leave up to
  that limit, but credit fills no pocket.

[Freeze and close](../how-to/freeze-and-close.md) and [credit](../how-to/credit.md) show how it is
done.

## Function by function

*yes*: the call goes on. A code: [the error](../errors.md) that refuses it; nothing has moved, and
its key is free. *left out*: a batch settles the others. Bulk functions are refused as a whole. A
replay returns the first result in each state.

"""

NO_STATE = """
No state stops these: {names}. Neither does one stop a function that only reads.
"""


def page() -> str:
    """The page as it should be."""
    return HEADER + "".join(_table()) + NO_STATE.format(names=", ".join(_free()))


def _table() -> Iterator[str]:
    yield "| function | " + " | ".join(STATES) + " |\n"
    yield "|---" * (1 + len(STATES)) + "|\n"
    for call in _changing():
        if call.states:
            cells = (_linked(answer(call, state)) for state in STATES)
            yield f"| {_name(call)} | " + " | ".join(cells) + " |\n"


def _free() -> list[str]:
    return [_name(call) for call in _changing() if not call.states]


def _changing() -> list[CallOf]:
    return [call for call in CALLS.values() if call.changes_something]


def _name(call: CallOf) -> str:
    return f"[`{call.name}`](../reference/sql.md#{call.name})"


def _linked(cell: str) -> str:
    return f"[{cell}](../errors.md#{cell.lower()})" if cell.startswith("PW") else cell


if __name__ == "__main__":
    print(page(), end="")

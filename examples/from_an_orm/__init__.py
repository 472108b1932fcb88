"""Moves the wallets of an ORM's four tables into pgwallet, and proves that every cent arrived.

    python -m examples.from_an_orm [--check] [--from CONNINFO] [--to CONNINFO] [--wallet ID ...]

docs/from-an-orm.md tells when to run what. The modules, in the order of a run:

old.py        the four tables, under one set of names whatever yours are
problems.py   rows that the ledger would refuse: all of them are listed before anything moves
books.py      balances that the old transactions do not explain: listed, refused with --strict
reading.py    what a batch of wallets holds, with pockets, locked escrows and the old rows
moving.py     that batch into the ledger, in one transaction
comparing.py  each old row against what the ledger has posted for it: the table at the end

naming.py has the owners, references and keys that all of them use, ledger.py what they read from
pgwallet, tables.py what is printed, __main__.py the command line.

The old tables are only read. Each wallet gets one deposit, what it, its pockets and its locked
escrows hold together; from there transfers and pledges take the money where it was. Each of these
has an idempotency key made of an old id, so a second run, or one after a kill, moves only what is
still missing.
"""

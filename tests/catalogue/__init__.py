"""What all tests know of the public functions: the one place that names each of them.

`calls.CALLS` has an entry a function: a good call of it in `world.World`, what that call moves,
whom it is given to, and which refusals it knows beyond those that its arguments bring with them.
What the SQL says already is not repeated: `signatures` reads the arguments, so a function is keyed
if it may take a key in `p_idempotency_key` or `p_idempotency_keys`, and `kinds` knows what no
function takes for an amount, an id, a key. `spoiling` puts both together.
tests/contract/test_catalogue.py holds all of it against `pg_proc`.

A place that all functions must pass iterates and names none of them:

    @pytest.mark.parametrize("name", KEYED)
    def test_a_key_is_used_once(conn: psycopg.Connection, world: World, name: str) -> None:
        arguments = CALLS[name].keyed(CALLS[name].good(world, 10), "once")
        call(conn, name, **arguments)

By `given_to(access)` it has what a role may call, by `MOVING` what moves money, by `BULK` what
takes arrays. `keyed_calls` makes calls by the driver, with what each key must have moved. No place
leaves a function out: what cannot take part has something in its signature that says so, such as a
procedure, which commits. tests/contract/test_stub_function.py shows that nothing is forgotten.
"""

"""Reading a CSV file for an import: odd files, malformed lines, and the numbers of lines."""

from io import BufferedReader, BytesIO

import pytest

from pgwallet.cli.importing.lines import COLUMNS, BadFile, Kind, Line, read_lines


def lines(content: bytes | str, kind: Kind | None = Kind.DEPOSIT) -> list[Line]:
    data = content.encode() if isinstance(content, str) else content
    return list(read_lines(BufferedReader(BytesIO(data)), kind))


def problems(content: bytes | str, kind: Kind | None = Kind.DEPOSIT) -> dict[int, str]:
    return {line.number: line.problem for line in lines(content, kind) if line.problem}


def refusal(content: bytes | str, kind: Kind | None = Kind.DEPOSIT) -> str:
    with pytest.raises(BadFile) as refused:
        lines(content, kind)
    return str(refused.value)


def test_each_cell_gets_its_place() -> None:
    header = "reference,amount,idempotency_key,currency,owner_id,kind\n"
    (line,) = lines(f"{header}film,12.50,k-1,USD,ada,pledge\n", None)
    cells = dict(zip(COLUMNS, line.cells, strict=True))
    assert (line.number, line.problem) == (2, None)
    assert cells == {
        "kind": "pledge",
        "wallet_id": None,
        "owner_id": "ada",
        "currency": "USD",
        "project_id": None,
        "reference": "film",
        "amount": "12.50",
        "idempotency_key": "k-1",
        "effective_at": None,
        "expires_at": None,
        "metadata": None,
    }


def test_an_owner_has_euros_unless_the_line_says_more() -> None:
    assert lines("owner_id,amount\nada,1\n")[0].cells[3] == "EUR"
    assert lines("owner_id,amount,currency\nada,1,\n")[0].cells[3] == "EUR"
    assert lines("owner_id,amount,currency\nada,1,JPY\n")[0].cells[3] == "JPY"
    assert lines("wallet_id,amount,currency\n1024,1,\n")[0].cells[3] is None


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_any_line_end_will_do_and_a_byte_order_mark(end: str, mark: bytes) -> None:
    text = end.join(["owner_id,amount", "ada,1", "", "bob,2"])
    read = lines(mark + text.encode())
    assert [(line.number, line.cells[2], line.problem) for line in read] == [
        (2, "ada", None),
        (4, "bob", None),
    ]


def test_a_line_is_numbered_by_where_it_begins_whatever_is_quoted() -> None:
    text = 'owner_id,amount\n"a\nd\na",1\n"b\r\nob",x\nkim,2,3\n'
    assert [line.number for line in lines(text)] == [2, 5, 7]
    assert problems(text).keys() == {5, 7}


def test_a_quoted_newline_in_the_header_counts_too() -> None:
    assert problems('owner_id,"amount\n"\nada,x\n').keys() == {3}


def test_commas_and_quotes_within_quotes_belong_to_the_cell() -> None:
    (line,) = lines('owner_id,amount\n"Ada ""the"" first, of 2",1\n')
    assert line.cells[2] == 'Ada "the" first, of 2'


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"\n\r\n\n", "only blank lines"),
        (b"\xef\xbb\xbf", "only blank lines"),
        (b"PK\x03\x04\x14\x00\x06\x00amount", "binary"),
        ("owner_id,amount\nada,1\n".encode("utf-16"), "UTF-16"),
        (b"owner_id,amount,stra\xdfe\n", "UTF-8"),
        (b"owner_id;amount\nada;1,00\n", "semicolons"),
        (b"owner_id\tamount\nada\t1\n", "tabs"),
        (b'owner_id,"amount\nada,1\n', "quote that is not closed"),
        (b"owner_id,Amount\nada,1\n", "'Amount', which is no column. The columns"),
        (b"owner_id,amount,\nada,1,\n", "'', which is no column"),
        (b"owner_id,amount,amount\nada,1,2\n", "amount is there twice"),
        (b"owner_id,currency\nada,EUR\n", "no column amount"),
        (b"amount\n1\n", "wallet_id and owner_id"),
        (b"owner_id,wallet_id,amount\nada,1024,1\n", "wallet_id and owner_id"),
        (b"owner_id,amount,reference,project_id\nada,1,film,2048\n", "both project_id"),
        (b"owner_id,amount,kind\nada,1,deposit\n", "leave --kind out"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_a_reason(content: bytes, reason: str) -> None:
    assert reason in refusal(content)


def test_wrong_column_names_are_answered_with_the_known_ones() -> None:
    for name in COLUMNS:
        assert name in refusal("owner,sum\nada,1\n")


def test_a_file_without_kinds_needs_one_for_all() -> None:
    assert "--kind deposit" in refusal("owner_id,amount\nada,1\n", None)
    assert "project_id or reference" in refusal("owner_id,amount\nada,1\n", Kind.PLEDGE)


@pytest.mark.parametrize(
    "amount",
    [
        *("", " ", "x", "12,34", "1e3", "1_000", "1 000", "NaN", "Infinity", "+1", ".5", "5."),
        *(
            "0",
            "0.00",
            "-1",
            "1000000000000000",
            "9" * 400,
            "0." + "0" * 400 + "1",
            "\uff11",
            "1\n2",
        ),
    ],
)
def test_what_is_no_amount_is_a_bad_line(amount: str) -> None:
    assert "amount" in problems(f'owner_id,amount\nada,"{amount}"\n')[2]


@pytest.mark.parametrize("amount", ["1", "0.01", " 12.340 ", "999999999999999.99", "007"])
def test_an_amount_is_digits_and_a_point(amount: str) -> None:
    (line,) = lines(f"owner_id,amount\nada,{amount}\n")
    assert (line.problem, line.cells[6]) == (None, amount.strip())


@pytest.mark.parametrize(
    ("header", "line", "reason"),
    [
        ("owner_id,amount", "ada", "it has 1 cells, the first line 2"),
        ("owner_id,amount", "ada,1,", "it has 3 cells, the first line 2"),
        ("owner_id,amount", ",1", "it has no owner_id"),
        ("owner_id,amount", f"{'x' * 201},1", "owner_id has 201 characters"),
        ("owner_id,amount,currency", "ada,1,eur", "currency 'eur'"),
        ("wallet_id,amount", ",1", "it has no wallet_id"),
        ("wallet_id,amount", "ada,1", "wallet_id 'ada' is no id"),
        ("wallet_id,amount", "9223372036854775808,1", "is no id"),
        ("wallet_id,amount", "-1024,1", "is no id"),
        ("wallet_id,amount,reference", "1024,1,film", "a deposit goes to no project"),
        ("wallet_id,amount,idempotency_key", "1024,1,  ", "it has no idempotency_key"),
        ("wallet_id,amount,idempotency_key", f"1024,1,{'x' * 201}", "idempotency_key has 201"),
        ("wallet_id,amount,idempotency_key", "1024,1,k-1 ", "idempotency_key 'k-1 ' has blanks"),
        ("owner_id,amount", " ada,1", "owner_id ' ada' has blanks around it"),
        ("owner_id,amount", "ada\u200b,1", "has blanks around it"),
        (
            "owner_id,amount,effective_at",
            "ada,1,2026-01-31",
            "effective_at '2026-01-31' is no time",
        ),
        ("owner_id,amount,effective_at", "ada,1,0001-01-01T00:00:00Z", "is out of range"),
        ("owner_id,amount,expires_at", "ada,1,2026-01-31T00:00:00Z", "only a pledge expires"),
        ("owner_id,amount,metadata", "ada,1,{'a': 1}", "is no JSON"),
        ("owner_id,amount,metadata", 'ada,1,"""\\u0000"""', "is no JSON"),
        ("owner_id,amount,metadata", 'ada,1,"""\\ud800"""', "is no JSON"),
        ("owner_id,amount,metadata", "ada,1,1e999", "is no JSON"),
    ],
)
def test_a_malformed_cell_is_a_bad_line(header: str, line: str, reason: str) -> None:
    assert reason in problems(f"{header}\n{line}\n")[2]


def test_a_pledge_needs_a_project_and_a_kind_is_one_of_two() -> None:
    text = "kind,owner_id,amount,reference\npledge,ada,1,\ntransfer,ada,1,\n,ada,1,\n"
    found = problems(text, None)
    assert "reference" in found[2]
    assert found[3] == "kind 'transfer' is neither deposit, withdrawal nor pledge"
    assert found[4] == "kind '' is neither deposit, withdrawal nor pledge"
    assert "project_id" in problems("wallet_id,amount,project_id\n1024,1,film\n", Kind.PLEDGE)[2]


def test_times_and_metadata_are_read() -> None:
    expires = "2030-01-31T12:00:00+01:00"
    header = "kind,owner_id,amount,reference,effective_at,expires_at,metadata"
    text = f'pledge,ada,1,film,2026-01-31T12:00:00Z,{expires},"{{""order"": 17}}"\n'
    (line,) = lines(f"{header}\n{text}", None)
    assert line.cells[8:] == ("2026-01-31T12:00:00+00:00", expires, '{"order": 17}')
    (line,) = lines(f"{header}\nwithdrawal,ada,1,,,,\n", None)
    assert (line.cells[0], line.cells[8:]) == ("withdrawal", (None, None, None))


def test_blanks_around_a_reference_are_a_bad_line() -> None:
    text = "owner_id,amount,reference\nada,1,film \n"
    assert problems(text, Kind.PLEDGE) == {2: "reference 'film ' has blanks around it"}


def test_columns_that_are_to_be_ignored_are() -> None:
    data = b"Date,owner_id,amount,memo,\nx,ada,1,y,z\n"
    read = read_lines(BufferedReader(BytesIO(data)), Kind.DEPOSIT, ("Date", "memo", ""))
    assert [line.cells[2] for line in read] == ["ada"]
    assert "--ignore-columns" in refusal(data)


def test_lines_of_blanks_and_commas_are_left_out() -> None:
    assert [line.number for line in lines("owner_id,amount\n   \nada,1\n,\n , \n")] == [3]


def test_bytes_that_are_no_text_spoil_their_line_alone() -> None:
    content = b'owner_id,amount\nada,1\n"Stra\xdfe\nx",2\nkim,4\n'
    content += b"\n" * 10_000 + b"bob\x00,3\n"  # the beginning alone shows that a file is binary
    assert problems(content).keys() == {3, 10_006}
    assert all("UTF-8" in reason for reason in problems(content).values())
    assert [line.cells[2] for line in lines(content) if not line.problem] == ["ada", "kim"]


def test_a_quote_that_is_not_closed_ends_the_reading_where_it_opens() -> None:
    text = 'owner_id,amount\nada,1\n"bob,2\nkim,3\n'
    assert problems(text) == {
        3: "it opens a quote that is not closed; the lines below it were not read"
    }
    long = 'owner_id,amount\n"' + "bob,2\n" * 50_000
    assert problems(long).keys() == {2}
    assert "not read" in problems('owner_id,amount\n"ada"x,1\nbob,2\n')[2]


def test_what_a_line_holds_is_shown_short_on_one_line_and_harmless() -> None:
    reason = problems(f'owner_id,amount\nada,"\x1b[31m\n{"9" * 100}"\n')[2]
    assert reason.isprintable()
    assert len(reason) < 120

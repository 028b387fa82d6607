"""Scopes of the unit tree: the unit and all below, nothing beside."""

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_server.units import Scope, UnitError, check_unit, is_within

names = st.text("ab1-", min_size=1, max_size=3)
paths = st.lists(names, min_size=1, max_size=4).map("/".join)


@pytest.mark.parametrize(
    "path", ["", "/", "a/", "/a", "a//b", "A", "a b", "东莞", "a/" * 9 + "a", "a%", "a" * 41]
)
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(UnitError, match="dongguan/nancheng"):
        check_unit(path)


@given(unit=paths, scope=st.one_of(st.just(""), paths))
def test_sql_and_python_agree_on_what_is_within(unit: str, scope: str) -> None:
    condition, values = Scope(scope).sql("unit")
    connection = apsw.Connection(":memory:")
    found = connection.execute(
        f"SELECT count(*) FROM (SELECT ? AS unit) WHERE {condition}", (unit, *values)
    ).get
    assert bool(found) == is_within(unit, scope)


def test_a_sister_with_a_longer_name_is_outside() -> None:
    assert is_within("dg/hall-1", "dg")
    assert not is_within("dg-2/hall-1", "dg")
    assert not is_within("dg/hall-10", "dg/hall-1")
    assert Scope("dg/").path == "dg"

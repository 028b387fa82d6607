"""The guards of slips want nothing where no mistake is planted."""

from tests.counter.guards import foreign_keys_taken, forged_slips_taken, pictures_that_steer


def test_no_forged_slip_is_taken() -> None:
    assert forged_slips_taken() == []


def test_no_file_with_a_key_put_in_is_read() -> None:
    assert foreign_keys_taken() == []


def test_no_picture_steers_the_printer() -> None:
    assert pictures_that_steer() == []

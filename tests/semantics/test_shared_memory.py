"""Writes whose operands share memory with the target."""


def test_operand_that_shares_memory_with_the_target_was_written_to(lib, raises):
    x = lib.tensor([3.0, 4.0], requires_grad=True)
    base = x * 1
    base[0].hypot_(base[0])
    with raises(RuntimeError, "one of the variables needed for gradient computation has been mod"):
        base.sum().backward()


def test_expanded_element_of_an_imaginary_part_follows_a_write_into_it(lib):
    z = lib.tensor([1 + 2j, 3 + 4j], requires_grad=True)
    part = (z * 1).imag
    element = part[0].expand(3)
    part.mul_(2)
    element.sum().backward()

    assert z.grad.tolist() == [6j, 0]


def test_view_of_memory_that_its_base_gave_up_has_the_gradient_of_the_same_view(lib):
    x = lib.ones(4, requires_grad=True)
    base = x * 1
    windows = base.unfold(-1, 2, 1)
    base.data = lib.full((4,), 2.0)
    with lib.no_grad():
        base.mul_(2)
    windows.sum().backward()

    assert x.grad.tolist() == [1.0, 2.0, 2.0, 1.0]


def test_view_of_memory_that_its_base_gave_up_for_less_can_be_looked_at(lib):
    base = lib.ones(3, 4, requires_grad=True) * 1
    views = [base.view(12), base.unfold(-1, 2, 1)]
    base.data = lib.ones(3)
    with lib.no_grad():
        base.mul_(2)

    assert [view.is_leaf for view in views] == [False, False]


def test_view_that_got_other_memory_begins_there(lib):
    x = lib.arange(12.0).view(3, 4)
    row = x[1]
    row.data = lib.arange(4.0)

    assert row.storage_offset() == 0
    assert row.untyped_storage().nbytes() == 16
    assert row.as_strided((2,), (2,)).tolist() == [0, 2]

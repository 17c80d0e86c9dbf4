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

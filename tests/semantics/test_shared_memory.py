"""Writes whose operands share memory with the target."""


def test_operand_that_shares_memory_with_the_target_was_written_to(lib, raises):
    x = lib.tensor([3.0, 4.0], requires_grad=True)
    base = x * 1
    base[0].hypot_(base[0])
    with raises(RuntimeError, "one of the variables needed for gradient computation has been mod"):
        base.sum().backward()

"""The recurrent layers and cells, and sequences of several lengths."""

from __future__ import annotations

import copy
import pickle

import pytest


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda nn: nn.LSTM(2, 3), "LSTM(2, 3)"),
        (
            lambda nn: nn.LSTM(2, 3, 2, False, False, 0.5, True, 1),
            "LSTM(2, 3, proj_size=1, num_layers=2, bias=False, dropout=0.5, bidirectional=True)",
        ),
        (lambda nn: nn.GRU(2, 3, num_layers=2), "GRU(2, 3, num_layers=2)"),
        (lambda nn: nn.RNN(2, 3, 1, "relu", False), "RNN(2, 3, bias=False)"),
        (lambda nn: nn.LSTMCell(2, 3, bias=False), "LSTMCell(2, 3, bias=False)"),
        (lambda nn: nn.RNNCell(2, 3, nonlinearity="relu"), "RNNCell(2, 3, nonlinearity=relu)"),
    ],
)
def test_recurrent_layer_prints_its_settings(lib, make, text):
    assert repr(make(lib.nn)) == text


@pytest.mark.parametrize(
    ("make", "error", "sentence"),
    [
        (lambda nn: nn.LSTM(2, 0), ValueError, "hidden_size must be greater than zero"),
        (lambda nn: nn.LSTM(2, 3, num_layers=0), ValueError, "num_layers must be greater than"),
        (lambda nn: nn.LSTM(2, "3"), TypeError, "hidden_size should be of type int, got: str"),
        (lambda nn: nn.LSTM(2, 3, dropout=2.0), ValueError, "dropout should be a number in range"),
        (lambda nn: nn.GRU(2, 3, dropout=True), ValueError, "dropout should be a number in range"),
        (lambda nn: nn.GRU(2, 3, proj_size=2), ValueError, "proj_size argument is only supported"),
        (lambda nn: nn.LSTM(2, 3, proj_size=-2), ValueError, "proj_size should be a positive int"),
        (lambda nn: nn.LSTM(2, 3, proj_size=3), ValueError, "proj_size has to be smaller than hid"),
        (lambda nn: nn.RNN(2, 3, nonlinearity="foo"), ValueError, "Unknown nonlinearity 'foo'. Se"),
        (lambda nn: nn.RNNBase("X", 2, 3), ValueError, "Unrecognized RNN mode: X"),
    ],
)
def test_impossible_recurrent_layer_is_refused(lib, raises, make, error, sentence):
    with raises(error, sentence):
        make(lib.nn)


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (
            lambda t, nn: nn.LSTM(2, 3)(t.ones(1, 2, 3, 4)),
            ValueError,
            "LSTM: Expected input to be 2D or 3D, got 4D instead",
        ),
        (
            lambda t, nn: nn.RNN(2, 3)(t.ones(4)),
            ValueError,
            "RNN: Expected input to be 2D or 3D, got 1D tensor instead",
        ),
        (
            lambda t, nn: nn.LSTM(2, 3)(t.ones(4, 1, 3)),
            RuntimeError,
            "input.size(-1) must be equal to input_size. Expected 2, got 3",
        ),
        (
            lambda t, nn: nn.LSTM(2, 3)(t.ones(4, 1, 2), (t.ones(1, 3), t.ones(1, 3))),
            RuntimeError,
            "For batched 3-D input, hx and cx should also be 3-D but got (2-D, 2-D) tensors",
        ),
        (
            lambda t, nn: nn.LSTM(2, 3)(t.ones(4, 1, 2), (t.ones(1, 2, 3), t.ones(1, 2, 3))),
            RuntimeError,
            "Expected hidden[0] size (1, 1, 3), got [1, 2, 3]",
        ),
        (
            lambda t, nn: nn.GRU(2, 3)(t.ones(4, 2), t.ones(1, 2, 3)),
            RuntimeError,
            "For unbatched 2-D input, hx should also be 2-D but got 3-D tensor",
        ),
        (
            lambda t, nn: nn.GRU(2, 3)(t.ones(4, 1, 2), t.ones(1, 2, 3)),
            RuntimeError,
            "Expected hidden size (1, 1, 3), got [1, 2, 3]",
        ),
        (
            lambda t, nn: nn.GRU(2, 3)(t.ones(4, 1, 2).double()),
            ValueError,
            "RNN input dtype (torch.float64) does not match weight dtype (torch.float32). Convert",
        ),
        (
            lambda t, nn: nn.GRU(2, 3)(t.ones(0, 1, 2)),
            RuntimeError,
            "Expected sequence length to be larger than 0 in RNN",
        ),
        (
            lambda t, nn: nn.LSTMCell(2, 3)(t.ones(4, 2, 2)),
            ValueError,
            "LSTMCell: Expected input to be 1D or 2D, got 3D instead",
        ),
        (
            lambda t, nn: nn.GRUCell(2, 3)(t.ones(4, 2), t.ones(1, 1, 3)),
            ValueError,
            "GRUCell: Expected hidden to be 1D or 2D, got 3D instead",
        ),
        (
            lambda t, nn: nn.LSTMCell(2, 3)(t.ones(4, 2), (t.ones(3, 3), t.ones(3, 3))),
            RuntimeError,
            "Input batch size 4 doesn't match hidden0 batch size 3",
        ),
        (
            lambda t, nn: nn.RNNCell(2, 3, nonlinearity="foo")(t.ones(4, 2)),
            RuntimeError,
            "Unknown nonlinearity: foo",
        ),
    ],
)
def test_wrong_input_of_a_recurrent_layer_is_refused(lib, raises, call, error, sentence):
    with raises(error, sentence):
        call(lib, lib.nn)


def test_dropout_of_a_single_layer_is_warned_about(lib, warns):
    with warns(UserWarning, "dropout option adds dropout after all but last recurrent layer, so"):
        lib.nn.LSTM(2, 3, dropout=0.5)


def test_parameters_have_the_names_that_files_have(lib):
    names = list(lib.nn.LSTM(2, 3, 2, bidirectional=True, proj_size=1).state_dict())
    kinds = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
    ends = ("l0", "l0_reverse", "l1", "l1_reverse")

    assert names == [f"{kind}_{end}" for end in ends for kind in kinds]


def test_batch_first_transposes_input_and_output(lib):
    x = lib.randn(4, 3, 2)
    lstm = lib.nn.LSTM(2, 5)
    swapped = copy.deepcopy(lstm)
    swapped.batch_first = True
    output, (hidden, _) = lstm(x)
    other, (other_hidden, _) = swapped(x.transpose(0, 1))

    assert other.shape == (3, 4, 5)
    assert lib.equal(output, other.transpose(0, 1))
    assert lib.equal(hidden, other_hidden)


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
def test_sequence_without_batch_gives_what_a_batch_of_one_gives(lib, kind):
    layer = getattr(lib.nn, kind)(2, 3, 2)
    x = lib.randn(4, 2)
    output, last = layer(x)
    batched, last_of_batch = layer(x.unsqueeze(1))
    first = last[1] if kind == "LSTM" else last
    second = last_of_batch[1] if kind == "LSTM" else last_of_batch

    assert output.shape == (4, 3)
    assert lib.equal(output, batched.squeeze(1))
    assert lib.equal(first, second.squeeze(1))


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
def test_layer_steps_as_its_cell_does(lib, kind):
    layer, cell = getattr(lib.nn, kind)(2, 3), getattr(lib.nn, f"{kind}Cell")(2, 3)
    for name, weight in cell.named_parameters():
        weight.data.copy_(getattr(layer, f"{name}_l0").data)
    x, state = lib.randn(4, 5, 2), None
    output, _ = layer(x)
    for step in range(4):
        state = cell(x[step], state)
        hidden = state[0] if kind == "LSTM" else state

        assert lib.allclose(output[step], hidden, atol=1e-6)


def test_reversed_direction_is_the_first_over_the_sequence_turned_round(lib):
    both, one = lib.nn.GRU(2, 3, bidirectional=True), lib.nn.GRU(2, 3)
    for name, weight in one.named_parameters():
        weight.data.copy_(getattr(both, f"{name}_reverse").data)
    x = lib.randn(4, 5, 2)
    output, last = both(x)
    expected, expected_last = one(x.flip(0))

    assert lib.allclose(output[..., 3:], expected.flip(0), atol=1e-6)
    assert lib.allclose(last[1], expected_last[0], atol=1e-6)


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_packed_sequences_run_as_each_does_alone(lib, kind, bidirectional):
    rnn = lib.nn.utils.rnn
    layer = getattr(lib.nn, kind)(2, 3, 2, bidirectional=bidirectional)
    sequences = [lib.randn(length, 2) for length in (2, 4, 1)]
    output, last = layer(rnn.pack_sequence(sequences, enforce_sorted=False))
    hidden = last[0] if kind == "LSTM" else last
    padded, lengths = rnn.pad_packed_sequence(output)

    assert lengths.tolist() == [2, 4, 1]
    for number, sequence in enumerate(sequences):
        alone, last = layer(sequence)
        own = last[0] if kind == "LSTM" else last
        assert lib.allclose(padded[: len(sequence), number], alone, atol=1e-6)
        assert lib.allclose(hidden[:, number], own, atol=1e-6)


def test_packed_and_padded_training_give_the_same_gradients(lib):
    rnn = lib.nn.utils.rnn
    layer, head = lib.nn.LSTM(2, 3), lib.ones(3)
    sequences = [lib.randn(length, 2) for length in (3, 2)]
    output, _ = layer(rnn.pack_sequence(sequences))
    (output.data @ head).sum().backward()
    packed = layer.weight_hh_l0.grad.clone()
    layer.zero_grad()
    sum((layer(sequence)[0] @ head).sum() for sequence in sequences).backward()

    assert lib.allclose(packed, layer.weight_hh_l0.grad, atol=1e-5)


def test_dropout_between_layers_is_off_in_evaluation(lib):
    lstm = lib.nn.LSTM(2, 3, 2, dropout=0.5)
    x = lib.randn(4, 5, 2)

    assert not lib.equal(lstm(x)[0], lstm(x)[0])
    lstm.eval()
    assert lib.equal(lstm(x)[0], lstm(x)[0])


def test_recurrent_layer_is_pickled_copied_and_moved(lib):
    lstm = lib.nn.LSTM(2, 3)
    x = lib.randn(4, 5, 2)
    for made in (copy.deepcopy(lstm), pickle.loads(pickle.dumps(lstm))):  # noqa: S301 - our own bytes
        assert lib.equal(made(x)[0], lstm(x)[0])

    assert lstm.double()(x.double())[0].dtype is lib.float64
    assert [len(weights) for weights in lstm.all_weights] == [4]
    assert lstm.flatten_parameters() is None


def test_weight_replaced_by_another_is_used(lib):
    gru = lib.nn.GRU(2, 3)
    gru.weight_ih_l0 = lib.nn.Parameter(lib.zeros(9, 2))
    one, other = gru(lib.ones(4, 1, 2))[0], gru(lib.zeros(4, 1, 2))[0]

    assert lib.equal(one, other)


# Sequences of several lengths


def test_padding_goes_right_or_left(lib):
    pad = lib.nn.utils.rnn.pad_sequence
    parts = [lib.tensor([1, 2]), lib.tensor([3])]

    assert pad(parts).tolist() == [[1, 3], [2, 0]]
    assert pad(parts, batch_first=True, padding_value=9).tolist() == [[1, 2], [3, 9]]
    assert pad(parts, batch_first=True, padding_side="left").tolist() == [[1, 2], [0, 3]]


def test_what_is_padded_is_unpadded(lib):
    rnn = lib.nn.utils.rnn
    parts = [lib.tensor([1, 2]), lib.tensor([3])]
    back = rnn.unpad_sequence(rnn.pad_sequence(parts), lib.tensor([2, 1]))

    assert [part.tolist() for part in back] == [[1, 2], [3]]


def test_what_is_packed_is_unpacked_in_the_order_it_came(lib):
    rnn = lib.nn.utils.rnn
    parts = [lib.tensor([1]), lib.tensor([2, 3, 4]), lib.tensor([5, 6])]
    packed = rnn.pack_sequence(parts, enforce_sorted=False)

    assert packed.data.tolist() == [2, 5, 1, 3, 6, 4]
    assert packed.batch_sizes.tolist() == [3, 2, 1]
    assert packed.sorted_indices.tolist() == [1, 2, 0]
    assert packed.unsorted_indices.tolist() == [2, 0, 1]
    assert [part.tolist() for part in rnn.unpack_sequence(packed)] == [[1], [2, 3, 4], [5, 6]]


def test_packing_passes_gradients_to_the_rows_and_none_to_the_padding(lib):
    x = lib.ones(3, 2, 1, requires_grad=True)
    packed = lib.nn.utils.rnn.pack_padded_sequence(x, [3, 1])
    (packed.data * 2).sum().backward()

    assert type(packed.data.grad_fn).__name__ == "PackPaddedSequenceBackward0"
    assert x.grad.flatten().tolist() == [2.0, 2.0, 2.0, 0.0, 2.0, 0.0]


def test_padding_again_passes_gradients_and_may_be_longer(lib):
    rnn = lib.nn.utils.rnn
    x = lib.ones(2, 2, requires_grad=True)
    padded, lengths = rnn.pad_packed_sequence(
        rnn.pack_padded_sequence(x, [2, 1]), padding_value=5.0, total_length=3
    )
    padded.sum().backward()

    assert padded.tolist() == [[1.0, 1.0], [1.0, 5.0], [5.0, 5.0]]
    assert lengths.tolist() == [2, 1]
    assert x.grad.tolist() == [[1.0, 1.0], [1.0, 0.0]]


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (
            lambda t, r: r.pack_padded_sequence(t.ones(2, 3), [2, 3, 1]),
            RuntimeError,
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You",
        ),
        (
            lambda t, r: r.pack_padded_sequence(t.ones(2, 3), [2, 0, 1], enforce_sorted=False),
            RuntimeError,
            "Length of all samples has to be greater than 0, but found an element in 'lengths'",
        ),
        (
            lambda t, r: r.pack_padded_sequence(t.ones(2, 3), [2, 1]),
            RuntimeError,
            "Expected `len(lengths)` to be equal to batch_size, but got 2 (batch_size=3)",
        ),
        (
            lambda t, r: r.pack_padded_sequence(t.ones(0, 3), [1, 1, 1]),
            RuntimeError,
            "Cannot pack empty tensors.",
        ),
        (
            lambda t, r: r.pack_padded_sequence(t.ones(3, 3), t.ones(3, 1, device="cpu").long()),
            RuntimeError,
            "'lengths' argument should be a 1D CPU int64 tensor, but got 2D cpu Long tensor",
        ),
        (lambda t, r: r.pad_sequence([]), RuntimeError, "received an empty list of sequences"),
        (
            lambda t, r: r.pad_sequence(5),
            RuntimeError,
            "pad_sequence: Expected iterable for input sequences, but got arg of type: <class 'int",
        ),
        (
            lambda t, r: r.pad_sequence([t.ones(2)], padding_side="x"),
            RuntimeError,
            "Expected padding_side to be one of left or right, but got x.",
        ),
        (
            lambda t, r: r.pad_packed_sequence(r.pack_sequence([t.ones(3)]), total_length=2),
            ValueError,
            "Expected total_length to be at least the length of the longest sequence in input, but",
        ),
    ],
)
def test_sequences_that_do_not_fit_are_refused(lib, raises, call, error, sentence):
    with raises(error, sentence):
        call(lib, lib.nn.utils.rnn)


def test_packed_sequence_is_converted_as_a_tensor_is(lib):
    packed = lib.nn.utils.rnn.pack_sequence([lib.ones(2), lib.ones(1)])

    assert packed.double().data.dtype is lib.float64
    assert packed.to(lib.float64).batch_sizes.tolist() == [2, 1]
    assert packed.to(packed.data.device) is packed
    assert packed.float() is packed
    assert packed.is_cuda == packed.data.is_cuda
    assert not packed.is_pinned()


def test_weights_that_are_set_as_a_list_are_used(lib):
    layer, other = lib.nn.LSTM(2, 3), lib.nn.LSTM(2, 3)
    x = lib.ones(4, 1, 2)

    layer._flat_weights = [getattr(other, name) for name in layer._flat_weights_names]

    assert bool((layer(x)[0] == other(x)[0]).all())

"""Every promise of tests/semantics is kept by PyTorch itself: the same tests, with it as `lib`."""

from __future__ import annotations

import warnings

import torch
from promises import promises

#: Promises in which chainrule goes beyond PyTorch, or stays behind it, on purpose, and why.
OURS_ALONE = {
    "test_strict_writes": "PyTorch has no words for it",
    "test_one_context_may_be_entered_again_inside_itself": "PyTorch's remembers one mode, no stack",
    "test_write_that_spoiled_a_gradient_is_named": "PyTorch gives the versions only",
    "test_anomaly_mode_names_the_line_of_the_write": "likewise",
    "test_nan_from_the_unselected_branch_of_where_is_explained": "PyTorch names the node only",
    "test_remembering_writes_costs_no_call_while_it_is_off": "PyTorch is not written in Python",
    "test_refused_write_to_an_inference_tensor_leaves_its_values": "PyTorch writes, then refuses",
    "test_decorated_coroutine_holds_the_mode_in_its_body_only": "PyTorch's makes the coroutine "
    "under no_grad and runs it without",
    "test_decorated_asynchronous_generator_holds_the_mode_in_its_body_only": "likewise",
    "test_tasks_that_take_turns_keep_their_modes_apart": "likewise",
}


with warnings.catch_warnings():  # what forward mode imports when first used is deprecated
    warnings.simplefilter("ignore")
    torch.func.jvp(torch.sin, (torch.ones(1),), (torch.ones(1),))


globals().update(promises("semantics", OURS_ALONE))

"""Run random programs on chainrule and PyTorch and report every difference.

    python tools/fuzz.py --programs 100000 --jobs 2

Needs the parity environment (PyTorch 2.13.0). A program is drawn from its seed alone: a difference
is seen again, line by line, with ``--first SEED --programs 1``.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import multiprocessing
import os
import sys
import time
from typing import TYPE_CHECKING

# One thread each: the tensors are small, and the processes share the cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from fuzzing.campaign import Finding, Tally, tally

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.connection import Connection

_CHUNK = 500


def main() -> int:
    options = _options()
    seeds = range(options.first, options.first + options.programs)
    chunks = [seeds[i : i + _CHUNK] for i in range(0, len(seeds), _CHUNK)]
    total, start = Tally(), time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for part in pool.map(tally_apart, chunks):
            fresh = [f for signature, f in part.findings.items() if signature not in total.findings]
            total.merge(part)
            if options.verbose:
                for finding in fresh:
                    show(finding)
                print(f"{total.programs} programs, {len(total.findings)} causes", flush=True)
    report(total, time.perf_counter() - start)
    return 1 if total.findings or total.deadly else 0


def tally_apart(seeds: Sequence[int]) -> Tally:
    """Return what came of the programs of *seeds*, run in a process of their own.

    A program may end the process (PyTorch's kernels can be brought to a segmentation fault): then
    each half runs again, until the seed is found.
    """
    receiver, sender = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=_send, args=(sender, seeds))
    process.start()
    sender.close()
    try:
        return receiver.recv()
    except EOFError:
        if len(seeds) == 1:
            return Tally(deadly=[*seeds])
        half = len(seeds) // 2
        result = tally_apart(seeds[:half])
        result.merge(tally_apart(seeds[half:]))
        return result
    finally:
        receiver.close()
        process.join()


def _send(sender: Connection, seeds: Sequence[int]) -> None:
    sender.send(tally(seeds))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--programs", type=int, default=1000, help="how many")
    parser.add_argument("--first", type=int, default=0, help="seed of the first")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes")
    parser.add_argument("--verbose", action="store_true", help="tell every cause as it is found")
    return parser.parse_args()


def show(finding: Finding) -> None:
    """Print one cause: the seeds, and a short program that shows it."""
    print(f"\n{len(finding.seeds)} programs, with seeds {', '.join(map(str, finding.seeds))}:")
    for line in finding.lines:
        print(f"    {line}")
    print(f"  {finding.difference}")


def report(total: Tally, seconds: float) -> None:
    """Print the counts and, most frequent first, the differences."""
    for finding in sorted(total.findings.values(), key=lambda f: -len(f.seeds)):
        show(finding)
    differing = sum(len(finding.seeds) for finding in total.findings.values())
    print(f"\n{total.programs} programs in {seconds:.0f} s")
    print(f"{total.lines} lines, of {len(total.used)} kinds")
    print(f"{total.refused} lines refused by both")
    print(f"{total.beyond} programs ended where chainrule computes what PyTorch refuses")
    print(f"{total.undecided} where PyTorch cannot be brought to compute it")
    print(f"{total.known} at a known difference")
    print(f"{differing} differ, of {len(total.findings)} causes")
    print(f"{len(total.deadly)} ended the process {total.deadly or ''}")


if __name__ == "__main__":
    sys.exit(main())

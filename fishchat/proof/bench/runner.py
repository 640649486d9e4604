"""Run the generator as a child, and the workloads one after the other on one FishChat."""

from __future__ import annotations

import os
import secrets
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import msgspec

from fishchat.proof.bench.crowd import PATIENCE, BenchError
from fishchat.proof.bench.machine import check_files
from fishchat.proof.bench.server import Server
from fishchat.proof.bench.spec import QUIET, Figures, Job
from fishchat.proof.bench.workloads import WORKLOADS, Wish, Workload
from fishchat.proof.processes import HERE, prepare_child
from fishchat.services.launch import commands

#: The share of a core from which on the generator counts as the limit.
BUSY = 0.9
#: The share of the wanted rate below which the rate was not kept.
KEPT = 0.95

Say = Callable[[str], object]


class Result(msgspec.Struct):
    """A workload and its figures."""

    name: str
    unit: str
    figures: Figures
    note: str = ""


def generate(job: Job) -> Figures:
    """Run one job in a process of its own, and return its figures. BenchError when there are none."""
    check_files(job.clients)
    process = subprocess.Popen(
        commands.program("fishchat.proof.bench.generator:main"),
        env={**os.environ, "PYTHONPATH": HERE},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        preexec_fn=partial(prepare_child, os.getpid()),
    )
    assert process.stdin is not None and process.stdout is not None
    late = threading.Timer(limit(job), process.kill)
    late.start()
    try:
        # The job is not on the command line, which anybody can read. The generator ends when this pipe does.
        process.stdin.write(msgspec.json.encode(job) + b"\n")
        process.stdin.flush()
        told = process.stdout.read()
        code = process.wait()
    finally:
        late.cancel()
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()
    if not told:
        raise BenchError(f"the generator ended with code {code} and without figures")
    figures = msgspec.json.decode(told, type=Figures)
    if figures.error:
        raise BenchError(figures.error)
    return figures


def limit(job: Job) -> float:
    """Return the seconds after which a job is ended, whatever it does."""
    return 60.0 + PATIENCE + QUIET + job.seconds + job.clients / 20 + job.messages / 1000


def workloads(
    server: Server | None, addresses: Sequence[str], chosen: Sequence[str], wish: Wish, roots: Sequence[int], say: Say
) -> Iterator[Result]:
    """Run the chosen workloads, or all that can run here; ``say`` is called with those that cannot.

    :param server: None for a FishChat that already runs, at ``addresses``.
    """
    for name, workload in WORKLOADS.items():
        if chosen and name not in chosen:
            continue
        if needed := missing(workload, len(addresses), server):
            say(f"{name}: left out: {needed}")
            continue
        redis = server.url if server is not None else ""
        connected = server.web_addresses if server is not None and workload.web else addresses
        job = workload.job(wish, list(connected), new_prefix(), redis, list(roots))
        if workload.restarts and server is not None:
            job = msgspec.structs.replace(job, addresses=job.addresses[:1], kill=server.process_of("ms1"))
        say(f"{name}: {job.clients} clients, {workload.sentence}")
        try:
            figures = generate(job)
        except BenchError as error:
            figures = Figures(clients=job.clients, error=str(error))
        yield Result(name, workload.unit, figures, _note(job, figures, server))


def missing(workload: Workload, servers: int, server: Server | None) -> str:
    """Return what a workload needs and does not have; nothing if it can run.

    :param server: the FishChat that was started for this, if there is one.
    """
    if workload.servers > servers:
        return "it needs two msg_servers: --processes, or --address twice"
    if workload.restarts and (server is None or not server.in_processes):
        return "it needs a FishChat of its own in processes: --processes"
    if workload.web and server is None:
        return "it needs a FishChat of its own: leave out --address"
    return ""


def _note(job: Job, figures: Figures, server: Server | None) -> str:
    notes = []
    if figures.error:
        notes.append(figures.error)
    if any(word in figures.error + figures.refusal for word in (" BUSY ", " FLOOD ")):
        notes.append("the server takes this for a flood: start it with limits.flood = false")
    if figures.generator >= BUSY:
        notes.append(f"the generator was the limit: it used {figures.generator:.0%} of a core")
    if job.rate and figures.sent is not None and figures.sent < job.rate * KEPT:
        notes.append(f"only {figures.sent:.0f}/s of {job.rate:.0f}/s were sent")
    if figures.share is not None:
        notes.append(f"all of them together use {figures.share:.2%} of a core")
    if figures.back is not None:
        hashed = server.figures("msg_server", "hashes") if server is not None else None
        told = "" if hashed is None else f"; {sum(hashed):.0f} passwords hashed"
        notes.append(f"all back within {figures.back:g} s{told}")
    return "; ".join(notes)


def new_prefix() -> str:
    """Return a new prefix, with which all accounts of a run begin."""
    return f"b{secrets.token_hex(4)}."

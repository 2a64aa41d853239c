"""`bench`: how fast this machine is."""

from __future__ import annotations

import click

from cnaps_sim.cli.options import json_option, on_terminal, print_json, quiet_option
from cnaps_sim.words.errors import InputError

_FEWEST = 5_000


@click.command()
@click.option("--payments", type=int, default=5_000_000, show_default=True, help="Payments of the main measurement.")
@click.option("--peers", is_flag=True, help="The same 10 000 payments in PSSimPy, if it is installed.")
@json_option
@quiet_option
def bench(payments: int, peers: bool, as_json: bool, quiet: bool) -> None:
    """Measure settlement throughput, next to the plain-Python books of the same rules."""
    from cnaps_sim.run.bench import bench as measure
    from cnaps_sim.run.message_bench import message_bench
    from cnaps_sim.run.netting_bench import netting_bench

    if payments < _FEWEST:
        raise InputError("--payments", "", "too few to measure", payments, f"from {_FEWEST}")
    peer = None
    if peers:
        from cnaps_sim.run.peers import against_pssimpy

        peer = against_pssimpy()

    def tell(text: str) -> None:
        if on_terminal() and not quiet:
            click.echo(text, err=True)

    result = measure(payments, tell=tell)
    result["netting"] = netting_bench(payments, tell=tell)
    result["messages"] = message_bench(max(500, min(payments // 500, 10_000)), tell)
    if peer is not None:
        result["peer"] = peer
    if as_json:
        print_json(result)
        return
    click.echo(f"{payments:,} payments, {result['accounts']} accounts")
    for setting in ("ample", "scarce"):
        part = result[setting]
        click.echo(
            f"{setting:<7} {part['payments_per_s'] / 1e6:7.1f} M payments/s, plain books "
            f"{part['plain_payments_per_s'] / 1e6:.2f} M/s: {part['times_plain']:.0f} times as fast; "
            f"{part['waited_share']:.1%} waited, {part['settled_share']:.1%} settled"
        )
    growth = result["growth"]
    for setting in ("ample", "scarce"):
        costs = ", ".join(
            f"{cost} ns at {size:,}" for size, cost in zip(growth["payments"], growth[f"{setting}_ns"], strict=True)
        )
        click.echo(f"{setting:<7} cost of a payment: {costs}; grows {growth[f'{setting}_ratio']} times")
    for setting in ("ample", "tight"):
        part = result["netting"][setting]
        click.echo(
            f"netting {setting:<5} {part['units_per_s'] / 1e6:7.1f} M units/s, plain server "
            f"{part['plain_units_per_s'] / 1e6:.2f} M/s: {part['times_plain']:.0f} times as fast; "
            f"{part['rejected_share']:.1%} rejected"
        )
    told = result["messages"]
    click.echo(
        f"messages {told['path_per_s']:,} payments/s from writing to both banks' reading, judged three times; "
        f"{told['run_per_s']:,} payments/s in a day with network, receipts and log"
    )
    if peer is not None:
        click.echo(f"{peer['peer']}: {peer['peer_payments_per_s']:,} payments/s; {peer['times']:,} times as fast here")

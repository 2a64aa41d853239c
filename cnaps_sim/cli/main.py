"""The entry point: runs a command and turns whatever goes wrong into one line and an exit code."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Sequence

import click

from cnaps_sim import __version__
from cnaps_sim.cli.animate import animate
from cnaps_sim.cli.bench import bench
from cnaps_sim.cli.catalogue import scenarios, schema
from cnaps_sim.cli.compare import compare
from cnaps_sim.cli.examine import audit, explain, verify
from cnaps_sim.cli.import_data import import_data
from cnaps_sim.cli.interrupt import interruptible
from cnaps_sim.cli.liquidity import liquidity
from cnaps_sim.cli.match import match
from cnaps_sim.cli.messages import messages
from cnaps_sim.cli.run import run
from cnaps_sim.cli.sensitivity import sensitivity
from cnaps_sim.cli.step import step
from cnaps_sim.cli.stress import stress
from cnaps_sim.cli.sweep import sweep
from cnaps_sim.cli.validate import validate
from cnaps_sim.cli.write import export, report
from cnaps_sim.words.errors import CnapsError, InputError, nearest

DONE, BAD, WRONG_INPUT, INTERNAL, INTERRUPTED = 0, 1, 2, 3, 130


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="cnaps-sim")
def commands() -> None:
    """Simulate China's second-generation payment system (CNAPS 2): settlement, queues, liquidity.

    Start with: cnaps-sim run quickstart
    """


for command in (
    run, stress, sweep, sensitivity, import_data, match, validate, audit, verify, explain, compare, step, liquidity,
    animate, report, export, messages, scenarios, schema, bench
):  # fmt: skip
    commands.add_command(command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and leave with its exit code."""
    sys.exit(execute(list(sys.argv[1:] if arguments is None else arguments)))


def execute(arguments: list[str]) -> int:
    """Run one command; returns the exit code. Nothing raises out of here."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that cannot show a letter is no reason to fail
    try:
        with interruptible():
            code = commands.main(args=arguments, prog_name="cnaps-sim", standalone_mode=False)
    except InputError as error:
        return _fail(_as_typed(error, arguments), arguments)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else "", err=True)
        return WRONG_INPUT
    except click.ClickException as error:
        return _fail(_from_click(error), arguments)
    except (KeyboardInterrupt, click.Abort):
        return _fail(InputError("cnaps-sim", "", "interrupted; nothing was written"), arguments, INTERRUPTED)
    except SystemExit:
        return DONE  # click's answer to a reader that has closed the pipe
    except OSError as error:
        place = str(error.filename or "output")
        return _fail(InputError(place, "", f"cannot be used ({(error.strerror or str(error)).lower()})"), arguments)
    except CnapsError as error:
        click.echo(str(error), err=True)
        return BAD
    except Exception as error:
        return _internal(error, arguments)
    return code if isinstance(code, int) else DONE


def _fail(error: InputError, arguments: list[str], code: int = WRONG_INPUT) -> int:
    if "--json" in arguments:
        click.echo(json.dumps({"error": error.as_dict()}, ensure_ascii=False))
    else:
        click.echo(error.sentence(), err=True)
    return code


def _as_typed(error: InputError, arguments: list[str]) -> InputError:
    """The error with its place as it was typed: what is an argument in Python (`set`) is an option here (`--set`)."""
    command: click.Command = commands
    for word in arguments:
        if not isinstance(command, click.Group):
            break
        command = command.commands.get(word, command)
    options = {name.removeprefix("--"): name for item in command.params for name in item.opts if name.startswith("--")}
    place = options.get(error.place.replace("_", "-"), error.place)
    return InputError(place, error.key, error.problem, error.value, error.allowed)


def _internal(error: Exception, arguments: list[str]) -> int:
    if os.environ.get("CNAPS_SIM_DEBUG"):
        raise error
    text = " ".join(f"{type(error).__name__}: {error}".split())
    problem = f"internal error, please report it: {text}"
    if "--json" in arguments:
        empty = {"place": "cnaps-sim", "key": "", "problem": problem, "value": "", "allowed": ""}
        click.echo(json.dumps({"error": empty}, ensure_ascii=False))
    else:
        click.echo(f"cnaps-sim: {problem} (CNAPS_SIM_DEBUG=1 shows where)", err=True)
    return INTERNAL


def _from_click(error: click.ClickException) -> InputError:
    """A mistake on the command line, in the form of every other mistake."""
    group = error.ctx.command if isinstance(error, click.UsageError) and error.ctx else commands
    known = list(group.commands if isinstance(group, click.Group) else commands.commands)
    if isinstance(error, click.NoSuchOption):
        names = [name for item in (error.ctx.command.params if error.ctx else []) for name in item.opts]
        options = [name for name in names if name.startswith("-")]
        return InputError(error.option_name, "", "no such option", "", nearest(error.option_name, options))
    if isinstance(error, click.MissingParameter):
        parameter = error.param
        place = (parameter.opts[-1] if parameter is not None else "") or "argument"
        name = parameter.make_metavar(error.ctx) if isinstance(parameter, click.Argument) and error.ctx else place
        return InputError(name.strip("[]"), "", "is missing", "", _usage(error))
    if isinstance(error, click.BadParameter) and error.param is not None:
        place = error.param.opts[-1] if isinstance(error.param, click.Option) else error.param.make_metavar(error.ctx)  # type: ignore[arg-type]
        return InputError(place, "", _plain(error.message))
    if isinstance(error, click.UsageError) and error.message.startswith("No such command"):
        wrong = error.message.split("'")[1]
        return InputError("command", "", "no such command", wrong, nearest(wrong, known))
    place = "command line"
    return InputError(place, "", _plain(error.format_message()), "", _usage(error))


def _usage(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    return context.get_usage().removeprefix("Usage: ") if context is not None else ""


def _plain(message: str) -> str:
    text = " ".join(message.split()).rstrip(".")
    return text[:1].lower() + text[1:]

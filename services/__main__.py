"""The command line: `minqing`, or `python -m services`."""

import sys
from collections.abc import Callable
from importlib import import_module

import typer

from shared.errors import MinqingError

EXIT_REFUSED = 2

COMMANDS = {
    "serve": "Run all services in one process; nothing else has to be installed.",
    "api": "Run the HTTP API of one service.",
    "worker": "Run the background tasks of one service: relay, consumer, timers.",
    "migrate": "Install or update databases, queues and what the city pack brings.",
    "pack": "Check a city pack.",
    "worktime": "Compute with a city's working time.",
    "assess": "Compute scorecards of units from a file of assignments.",
    "replay": "Drive a recorded day through the public API and check every service against it.",
    "lag": "Show how far each service is behind.",
    "redrive": "Release parked events and dead letters to be tried again.",
    "resend": "Send events of a service again that the bus has lost.",
    "fill": "Fill a new consumer from what the publishers have sent before.",
    "recompute-deadlines": "Reckon due times of all that is open by a changed calendar.",
    "rebuild": "Make assessment's records and facts anew from the stored events.",
    "events": "Show the published events, or write their documents.",
    "token": "Get an access token for scripts.",
    "one-time-code": "Give out a code with which somebody sets a password; at the machine only.",
}
"""Each is a module of `services.commands` with a Typer `app`; only the one asked for is loaded."""


def main() -> None:
    """Run the command line.

    Expected errors are one line on standard error and exit code 2.
    """
    try:
        _command_line(sys.argv[1] if len(sys.argv) > 1 else "")()
    except MinqingError as error:
        typer.echo(f"{error.code}: {error.message}", err=True)
        sys.exit(EXIT_REFUSED)


def _command_line(asked: str) -> typer.Typer:
    app = typer.Typer(
        name="minqing",
        help="The case pipeline of a city district.",
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    app.callback()(_nothing)
    for name, summary in COMMANDS.items():
        if name == asked:
            _add(app, name, import_module(_module_of(name)).app)
        else:
            app.command(name=name, help=summary)(_placeholder(name))
    return app


def _module_of(name: str) -> str:
    """Where a command is: its name with underscores for dashes."""
    return f"services.commands.{name.replace('-', '_')}"


def _add(app: typer.Typer, name: str, command: typer.Typer) -> None:
    """Add a command; one without commands of its own takes its options behind arguments, too."""
    single = command.registered_callback
    if command.registered_commands or single is None or single.callback is None:
        app.add_typer(command, name=name)
    else:
        app.command(name=name)(single.callback)


def _nothing() -> None:
    """The case pipeline of a city district."""


def _placeholder(name: str) -> Callable[[], None]:
    def command() -> None:
        raise AssertionError(f"{name} is loaded when it is asked for")

    return command


if __name__ == "__main__":
    main()

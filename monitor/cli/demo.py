"""`anchorwatch demo`: three databases drift and heal before your eyes."""

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo)


def demo(
    port: Annotated[
        int,
        typer.Option(
            envvar="PORT", min=0, max=65535, help="Where the page is; 0 for a free port."
        ),
    ] = 8080,
) -> None:
    """Watch three databases of a small application drift and heal on this machine."""
    import asyncio
    import signal
    import sys

    from monitor.cli.logs import configure_logs
    from monitor.cli.streams import discard
    from monitor.demo.show import play

    configure_logs(level="warning", form="console")

    async def perform() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, stop.set)
        try:
            await play(port=port, stop=stop)
        except* BrokenPipeError:  # whoever reads the story has seen enough
            discard(sys.stdout)

    asyncio.run(perform())

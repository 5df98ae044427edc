"""`anchorwatch run`: the agent."""

import typer

from monitor.cli.options import ConfigOption


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("run")(run)


def run(
    config: ConfigOption = None,
) -> None:
    """Watch every configured database until told to stop."""
    import asyncio
    import gc
    import signal

    from monitor.cli.logs import configure_logs
    from monitor.cli.output import say
    from monitor.cli.settings import load_settings
    from monitor.core.printing import clean

    loaded = load_settings(config)
    for problem in loaded.problems:
        say(f"not watched: {clean(str(problem))}")
    configure_logs(level=loaded.settings.log_level, form=loaded.settings.log_format)

    from monitor.agent.life import run_agent

    # What was imported stays until the end. Gone through for garbage, it holds up every look,
    # scrape and page for a tenth of a second, again and again.
    gc.freeze()

    async def watch() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, stop.set)
        await run_agent(
            loaded, stop=stop, on_started=lambda port: say(f"listening on port {port}")
        )

    asyncio.run(watch())

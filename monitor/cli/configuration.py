"""`anchorwatch config`: what is configured, and whether it can be used."""

import typer

from monitor.cli.choices import Format
from monitor.cli.options import ConfigOption, FormatOption


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Check and show the configuration.")
    group.command("check")(check)
    group.command("show")(show)
    app.add_typer(group, name="config")


def check(
    config: ConfigOption = None,
    form: FormatOption = Format.TEXT,
) -> None:
    """Check the configuration without connecting anywhere."""
    from monitor.cli.output import print_json, print_text, say
    from monitor.cli.settings import load_settings
    from monitor.config.audience import describe_silence
    from monitor.config.load import require_sound
    from monitor.core.printing import clean

    loaded = load_settings(config)
    require_sound(loaded)
    names = sorted(loaded.settings.databases)
    silence = describe_silence(loaded)
    for sentence in silence:
        say(clean(sentence))
    if form is Format.JSON:
        print_json({"ok": True, "databases": names, "silent": silence})
    else:
        noun = "database" if len(names) == 1 else "databases"
        print_text(f"The configuration is sound: {len(names)} {noun} ({', '.join(names)}).")


def show(
    config: ConfigOption = None,
    form: FormatOption = Format.TEXT,
) -> None:
    """Show the merged configuration and where each value came from; secrets are masked."""
    from monitor.cli.output import print_json, print_text, say
    from monitor.cli.settings import load_settings
    from monitor.config.audience import describe_silence
    from monitor.config.show import mask_config
    from monitor.core.printing import clean

    loaded = load_settings(config, may_be_empty=True)
    for sentence in describe_silence(loaded):
        say(clean(sentence))
    masked = mask_config(loaded)
    if form is Format.JSON:
        print_json({"settings": masked, "origins": dict(loaded.origins)})
        return
    for key, value in _flatten(masked):
        origin = loaded.origins.get(key, "default")
        print_text(f"{key} = {clean(str(value))}  ({clean(origin)})")


def _flatten(value: object, prefix: str = "") -> list[tuple[str, object]]:
    if isinstance(value, dict) and value:
        return [
            pair
            for key, part in value.items()
            for pair in _flatten(part, f"{prefix}.{key}" if prefix else str(key))
        ]
    return [(prefix, value)]

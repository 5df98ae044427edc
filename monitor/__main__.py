"""The command: `anchorwatch`, or `python -m monitor`."""

from typing import Final

INTERRUPTED: Final = 130
"""What a shell says of a command that Ctrl-C ended."""


def main() -> None:
    """Run the command; the imports are part of it, so that Ctrl-C ends them quietly too."""
    try:
        from monitor.cli import main as run  # noqa: PLC0415  # as above

        run()
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None


if __name__ == "__main__":
    main()

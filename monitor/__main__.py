"""The command: `anchorwatch`, or `python -m monitor`."""

from monitor.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    main()

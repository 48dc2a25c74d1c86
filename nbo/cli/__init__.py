"""The `nbo` command: one file per family of subcommands; heavy libraries load when used."""

from nbo.cli.main import main

__all__ = ["main"]

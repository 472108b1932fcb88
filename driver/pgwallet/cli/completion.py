"""The command that prints what makes a shell complete the others."""

from enum import StrEnum
from typing import Annotated

import typer

# Typer's own option --show-completion would come with --install-completion, which edits files.
from typer._completion_classes import completion_init
from typer._completion_shared import get_completion_script

from .commands import Command, group

completing = group()

# The shells call the program with this variable to ask for completions.
_VARIABLE = "_PGWALLET_COMPLETE"


class Shell(StrEnum):
    """Shells that can complete commands."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


@completing.command("shell-completion", cls=Command)
def shell_completion(
    shell: Annotated[Shell, typer.Argument(metavar="SHELL", help="bash, zsh or fish.")],
) -> None:
    """Print what makes a shell complete commands and options.

    \b
    Example:  pgwallet shell-completion bash >> ~/.bashrc
    For zsh:  pgwallet shell-completion zsh >> ~/.zshrc
    For fish:
      pgwallet shell-completion fish > ~/.config/fish/completions/pgwallet.fish
    """
    typer.echo(
        get_completion_script(prog_name="pgwallet", complete_var=_VARIABLE, shell=shell.value)
    )


def answer_shells() -> None:
    """Lets the program answer when a shell asks for completions."""
    completion_init()

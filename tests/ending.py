"""A run that is ended early, by Ctrl-C or SIGTERM, stops its servers first, in every worker."""

import os
import signal
from types import FrameType

import execnet
import pytest
from xdist.workermanage import WorkerController

_ENDS = (signal.SIGINT, signal.SIGTERM)

# The process ids of the workers that have not finished, by the id of the connection to them.
_workers: dict[str, int] = {}


def pytest_configure(config: pytest.Config) -> None:
    """Also where a shell has started pytest in the background, and so has it ignore Ctrl-C: the
    programs that tests start would inherit that.
    """
    is_worker = hasattr(config, "workerinput")
    for number in _ENDS:
        signal.signal(number, _end_once if is_worker else signal.default_int_handler)


def _end_once(number: int, frame: FrameType | None) -> None:
    # Ctrl-C reaches a worker twice, from the terminal and from pytest, and the second one would
    # break off what cleans up after the first.
    for again in _ENDS:
        signal.signal(again, lambda number, frame: None)
    raise KeyboardInterrupt


def pytest_xdist_newgateway(gateway: execnet.Gateway) -> None:
    channel = gateway.remote_exec("import os; channel.send(os.getpid())")
    _workers[gateway.id] = channel.receive()


def pytest_testnodedown(node: WorkerController) -> None:
    _workers.pop(node.gateway.id, None)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish() -> None:
    """Comes before xdist, which would leave its workers a few seconds and then kill them."""
    for process in _workers.values():
        os.kill(process, signal.SIGINT)

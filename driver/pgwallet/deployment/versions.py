"""Which of two versions of pgwallet is the newer one."""

import math
import re

from .connecting import DeploymentError

# As Python packages have them: 0.2.0, 0.2.0rc1, 0.2.0.post1, 0.2.0.dev3, and after + what is local.
_FORM = re.compile(
    r"(?P<release>\d+(\.\d+)*)((?P<stage>a|b|rc)(?P<pre>\d+))?"
    r"(\.post(?P<post>\d+))?(\.dev(?P<dev>\d+))?(\+[\w.]+)?"
)


def is_newer(version: str, than: str) -> bool:
    return _place(version) > _place(than)


def _place(version: str) -> tuple[tuple[int, ...], str, int, int, float]:
    """What sorts as the versions do: 0.2.0.dev1, 0.2.0a1, 0.2.0rc1, 0.2.0, 0.2.0.post1."""
    found = _FORM.fullmatch(version)
    if found is None:
        raise DeploymentError(
            f"{version!r} is no version of pgwallet, so nobody can say which is newer; look at the "
            "last row of pgwallet.deployment, which somebody has written by hand"
        )
    release = [int(number) for number in found["release"].split(".")]
    while release and release[-1] == 0:
        release.pop()
    alone = found["dev"] and not found["post"]
    stage = found["stage"] or ("" if alone else "stable")
    post = int(found["post"]) if found["post"] else -1
    dev = int(found["dev"]) if found["dev"] else math.inf
    return tuple(release), stage, int(found["pre"] or 0), post, dev

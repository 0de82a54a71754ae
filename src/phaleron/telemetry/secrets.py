"""Credentials in text that people will read: the userinfo part of URLs becomes `***`.

For everything that is shown or logged: settings, errors, log lines. What is sent to origins does not pass here.
"""

import re

# After `://`, all up to the last `@` before the host ends. Without a scheme, as GOPROXY allows, only `user:password@` counts:
# a bare `name@` is a module and its version.
_USERINFO = re.compile(
    r"""(?<=://)[^\s/?\#|,"'<>]+@ | (?<![^\s,|"'=(])[^\s/?\#|,"'<>:@=]+:[^\s/?\#|,"'<>]+@(?=[\w\[])""", re.VERBOSE
)


def mask(text: str) -> str:
    """Put `***` in the place of credentials in URLs."""
    return _USERINFO.sub("***@", text) if "@" in text else text

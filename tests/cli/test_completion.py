"""`folkmoot completion`: a shell that has read what it prints completes commands, options and names."""

import os
import shutil
import subprocess
import sys

import pytest

from folkmoot.cli import main

BASH = shutil.which("bash")


def completed(folder, *words):
    """What bash offers for the last of these words."""
    program = folder / "folkmoot"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m folkmoot "$@"\n')
    program.chmod(0o755)
    text = (
        'eval "$(folkmoot completion bash)"; complete -p folkmoot > /dev/null || exit 3\n'
        f"COMP_WORDS=({' '.join(repr(word) for word in ('folkmoot', *words))}); COMP_CWORD={len(words)}\n"
        '_folkmoot_completion folkmoot; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    environment = {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run([str(BASH), "-c", text], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.skipif(BASH is None, reason="there is no bash")
@pytest.mark.parametrize(
    ("words", "offered"),
    [(["li"], {"list", "licences"}), (["list", "alg"], {"algorithms"}), (["run", "dem"], {"demo"})],
)
def test_bash_completes_commands_and_names(tmp_path, words, offered):
    assert set(completed(tmp_path, *words)) == offered


@pytest.mark.parametrize(
    ("shell", "word"), [("bash", "complete "), ("zsh", "#compdef folkmoot"), ("fish", "complete ")]
)
def test_each_shell_has_its_script(capsys, shell, word):
    assert main(["completion", shell]) == 0
    assert word in capsys.readouterr().out


def test_another_shell_is_refused_in_a_line(capsys):
    assert main(["completion", "tcsh"]) == 2
    assert capsys.readouterr().err == "folkmoot: error: completion 'tcsh': allowed are bash, zsh, fish\n"

"""The reader of pages itself: what it takes for a block, what it makes of marks, and that it notices what is wrong."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import pages

HEAD = 'name = "a"\nhorizon = 500\n\n'
WHOLE = HEAD + '[rewards]\ntype = "beta"\n\n[network]\ntype = "static"\n\n[[algorithm]]\ntype = "gse"\n'


def read(tmp_path, text):
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    return subprocess.run([sys.executable, pages.__file__, str(page)], cwd=tmp_path, capture_output=True, text=True)


def test_blocks_have_their_language_line_and_mark():
    page = (
        "# Page\n\n<!-- not run: needs a node -->\n```python\nx = 1\n```\n- item\n\n  ```sh\n  folkmoot list\n  ```\n"
    )
    one, two = pages.blocks(page)
    assert one == pages.Block(5, "python", "x = 1\n", {}, "needs a node")
    assert two == pages.Block(10, "sh", "folkmoot list\n", {}, "")
    (marked,) = pages.blocks("<!-- run: horizon = 20, replicates = 1 -->\n```toml\n```\n")
    assert marked.smaller == {"horizon": "20", "replicates": "1"}


@pytest.mark.parametrize("page", ["```python\nx = 1\n", "<!-- not run: needs a node -->\n\n```python\n```\n"])
def test_a_block_without_an_end_and_a_mark_without_a_block_are_noticed(page):
    with pytest.raises(ValueError, match="line 1"):
        pages.blocks(page)


def test_values_at_the_top_of_a_file_are_replaced_and_added():
    changed = tomllib.loads(pages.with_values(WHOLE, {"horizon": "20", "replicates": "2"}))
    assert changed == {**tomllib.loads(WHOLE), "horizon": 20, "replicates": 2}


def test_a_part_takes_the_place_of_what_it_names():
    part = 'seed = 7\n\n[network]\ntype = "erdos_renyi"\n\n[[algorithm]]\ntype = "ucb"\n'
    changed = tomllib.loads(pages.amended(WHOLE, part))
    assert changed == {**tomllib.loads(WHOLE), **tomllib.loads(part)}


def test_blocks_share_their_names_and_files_can_be_imported(tmp_path):
    page = "```python\n# mine.py\nx = 2\n```\n\n```python\nfrom mine import x\n```\n\n```python\nprint(x + 1)\n```\n"
    done = read(tmp_path, page)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "3")


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("# Page\n\n```python\nx = 1\nassert x == 2\n```\n", 'page.md", line 5'),
        ("```python\nimport folkmoot as fm\n\nfm.no_such_name\n```\n", "no_such_name"),
        ('```toml\nname = "a"\nhorizon = 5\n```\n', "what to play is missing"),
        ("```sh\nmake nothing\nfolkmoot run absent.toml\n```\n", "absent.toml"),
        ("```\nx = 1\n```\n", "KeyError"),
        ("<!-- run: horizon = 5 -->\n```python\nx = 1\n```\n", "the mark names horizon"),
    ],
)
def test_what_is_wrong_on_a_page_is_noticed(tmp_path, page, said):
    done = read(tmp_path, page)
    assert done.returncode != 0
    assert said in done.stderr

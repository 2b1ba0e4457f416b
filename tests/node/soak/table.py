"""`python tests/node/soak/table.py RESULTS`: games of test_attacks_on_nodes.py, one a row, for the track record.

RESULTS is the file that FOLKMOOT_SOAK_RESULT named. Of a game that was played again the last time counts.
"""

import json
import sys
from pathlib import Path


def rows(lines):
    """The table, line by line."""
    games = {game["what"]: game for game in map(json.loads, lines) if "calm" in game}
    yield "| liars | rounds | blocks | of these without trouble | honest ledgers |"
    yield "|---|---|---|---|---|"
    for name, game in games.items():
        calm = "all" if game["calm"] == game["rounds"] else f"{game['calm']} rounds, {game['calm_blocks']} blocks"
        yield f"| `{name}` | {game['rounds']} | {game['blocks']} | {calm} | {'; '.join(game['verdicts']) or 'equal'} |"
    total = [sum(game[name] for game in games.values()) for name in ("rounds", "blocks", "calm", "calm_blocks")]
    yield f"| all {len(games)} games | {total[0]} | {total[1]} | {total[2]} rounds, {total[3]} blocks | |"


if __name__ == "__main__":
    print("\n".join(rows(Path(sys.argv[1]).read_text(encoding="utf-8").splitlines())))

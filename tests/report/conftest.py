import pytest
from made_results import make


@pytest.fixture
def results():
    return {"GSE": make("GSE", 0.1), "DrFed": make("DrFed", 0.15, sent=3_000_000), "Lone": make("Lone", 0.3, sent=0)}

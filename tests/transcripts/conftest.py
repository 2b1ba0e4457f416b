"""`pytest tests/transcripts --rewrite` writes the transcripts anew; read the difference before it is committed."""

import pytest


def pytest_addoption(parser):
    parser.addoption("--rewrite", action="store_true", help="write the transcripts of tests/transcripts anew")


@pytest.fixture
def rewrite(request):
    return bool(request.config.getoption("--rewrite", default=False))

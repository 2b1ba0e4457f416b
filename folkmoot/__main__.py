"""`python -m folkmoot` is the command `folkmoot`."""

import sys

from folkmoot.cli import main

sys.exit(main())

"""`python -m phaleron` is `phaleron`."""

import sys

from phaleron.cli import main

sys.exit(main())

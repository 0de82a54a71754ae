"""`python -m phaleron` is `phaleron`."""

from phaleron.cli import main

main()

"""What the tests need of the world: an upstream, a real go command, a running Phaleron."""

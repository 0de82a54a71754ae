module phaleron.example/bench/upstream

go 1.21

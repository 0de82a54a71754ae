// Oracle answers questions about the rules of Go modules as golang.org/x/mod answers them: a JSON object a line on stdin,
// {"op": …, …}, and a JSON object a line on stdout, {"ok": …, "error": …, "value": …}, in the same order.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
)

var ops = map[string]func(json.RawMessage) (any, error){}

type answer struct {
	OK    bool   `json:"ok"`
	Error string `json:"error"`
	Value any    `json:"value"`
}

func reply(line []byte) answer {
	var question struct{ Op string }
	if err := json.Unmarshal(line, &question); err != nil {
		return answer{Error: err.Error()}
	}
	op, ok := ops[question.Op]
	if !ok {
		return answer{Error: fmt.Sprintf("unknown op %q", question.Op)}
	}
	value, err := op(line)
	if err != nil {
		return answer{Error: err.Error(), Value: value}
	}
	return answer{OK: true, Value: value}
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	encoder := json.NewEncoder(out)
	for {
		line, err := in.ReadBytes('\n')
		if len(line) > 0 {
			if err := encoder.Encode(reply(line)); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			if in.Buffered() == 0 {
				out.Flush()
			}
		}
		if err != nil {
			out.Flush()
			return
		}
	}
}

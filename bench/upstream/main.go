// A GOPROXY upstream for benchmarks: serves a tree, waits before each answer, counts, and hangs where it is told to.
package main

import (
	"flag"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

func main() {
	tree := flag.String("tree", "", "the GOPROXY tree to serve")
	addr := flag.String("addr", "127.0.0.1:0", "where to listen")
	delay := flag.Duration("delay", 0, "wait this long before each answer")
	flag.Parse()

	var count, hanging, wait atomic.Int64
	wait.Store(int64(*delay))
	files := http.FileServer(http.Dir(*tree))
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		count.Add(1)
		if strings.HasPrefix(r.URL.Path, "/hang.example/") {
			hanging.Add(1)
			<-r.Context().Done()
			hanging.Add(-1)
			return
		}
		time.Sleep(time.Duration(wait.Load()))
		files.ServeHTTP(w, r)
	})
	http.HandleFunc("/-/count", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, count.Load()) })
	http.HandleFunc("/-/hanging", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, hanging.Load()) })
	http.HandleFunc("/-/reset", func(w http.ResponseWriter, r *http.Request) { count.Store(0) })
	http.HandleFunc("/-/delay", func(w http.ResponseWriter, r *http.Request) {
		ms, err := strconv.Atoi(r.FormValue("ms"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		wait.Store(int64(ms) * int64(time.Millisecond))
	})
	panic(http.ListenAndServe(*addr, nil))
}

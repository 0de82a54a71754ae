// Sumdb is a checksum database for tests, honest and small: golang.org/x/mod's own server and tree.
//
//	sumdb NAME GOPROXY
//
// It learns the sums of a module the way the world's own does, from a GOPROXY server, when it is first asked; prints one line of
// JSON with its URL and its verifier key; and ends when its standard input does.
package main

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/sumdb/note"
)

func main() {
	name, proxy := os.Args[1], os.Args[2]
	signer, verifier, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		log.Fatal(err)
	}
	database := sumdb.NewServer(sumdb.NewTestServer(signer, func(path, version string) ([]byte, error) {
		return sums(proxy, path, version)
	}))
	for _, path := range sumdb.ServerPaths {
		http.Handle(path, database)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	said := map[string]string{"url": "http://" + listener.Addr().String(), "key": verifier}
	if err := json.NewEncoder(os.Stdout).Encode(said); err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.Serve(listener, nil)) }()
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		log.Fatal(err)
	}
}

// sums gives the go.sum lines of a module version. A toolchain has no go.mod of its own.
func sums(proxy, path, version string) ([]byte, error) {
	escapedPath, err := module.EscapePath(path)
	if err != nil {
		return nil, err
	}
	escapedVersion, err := module.EscapeVersion(version)
	if err != nil {
		return nil, err
	}
	base := proxy + "/" + escapedPath + "/@v/" + escapedVersion
	file, err := os.CreateTemp("", "phaleron-sumdb-*.zip")
	if err != nil {
		return nil, err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	if err := fetch(base+".zip", file); err != nil {
		return nil, err
	}
	hash, err := dirhash.HashZip(file.Name(), dirhash.Hash1)
	if err != nil {
		return nil, err
	}
	text := fmt.Sprintf("%s %s %s\n", path, version, hash)
	if path == "golang.org/toolchain" {
		return []byte(text), nil
	}
	hash, err = dirhash.Hash1([]string{"go.mod"}, func(string) (io.ReadCloser, error) {
		return open(base + ".mod")
	})
	if err != nil {
		return nil, err
	}
	return fmt.Appendf([]byte(text), "%s %s/go.mod %s\n", path, version, hash), nil
}

func fetch(url string, into io.Writer) error {
	body, err := open(url)
	if err != nil {
		return err
	}
	defer body.Close()
	_, err = io.Copy(into, body)
	return err
}

func open(url string) (io.ReadCloser, error) {
	response, err := http.Get(url)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		response.Body.Close()
		return nil, fmt.Errorf("%s: %s", url, response.Status)
	}
	return response.Body, nil
}

package main

import (
	"bytes"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/zip"
)

// Names and contents are []byte, base64 in JSON: names need not be UTF-8.

type sourceFile struct {
	Name    []byte `json:"name"`
	Type    string `json:"type"` // regular, directory, symlink, other
	Size    int64  `json:"size"`
	Content []byte `json:"content"`
}

func (f sourceFile) Path() string                { return string(f.Name) }
func (f sourceFile) Lstat() (os.FileInfo, error) { return fileInfo{f}, nil }
func (f sourceFile) Open() (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(f.Content)), nil
}

type fileInfo struct{ f sourceFile }

func (i fileInfo) Name() string       { return path.Base(i.f.Path()) }
func (i fileInfo) Size() int64        { return i.f.Size }
func (i fileInfo) ModTime() time.Time { return time.Time{} }
func (i fileInfo) IsDir() bool        { return i.Mode().IsDir() }
func (i fileInfo) Sys() any           { return nil }

func (i fileInfo) Mode() fs.FileMode {
	switch i.f.Type {
	case "regular":
		return 0o644
	case "directory":
		return fs.ModeDir | 0o755
	case "symlink":
		return fs.ModeSymlink | 0o777
	}
	return fs.ModeNamedPipe | 0o644
}

type fault struct {
	Name   []byte `json:"name"`
	Reason string `json:"reason"`
}

type checked struct {
	Valid     [][]byte `json:"valid"`
	Omitted   []fault  `json:"omitted"`
	Invalid   []fault  `json:"invalid"`
	SizeError bool     `json:"size_error"`
}

func faults(from []zip.FileError, dir string) []fault {
	out := []fault{}
	for _, e := range from {
		out = append(out, fault{[]byte(within(dir, e.Path)), e.Err.Error()})
	}
	return out
}

func within(dir, name string) string {
	if dir == "" {
		return name
	}
	return strings.TrimPrefix(strings.TrimPrefix(name, filepath.Clean(dir)), "/")
}

func report(cf zip.CheckedFiles, dir string) checked {
	valid := [][]byte{}
	for _, name := range cf.Valid {
		valid = append(valid, []byte(within(dir, name)))
	}
	return checked{valid, faults(cf.Omitted, dir), faults(cf.Invalid, dir), cf.SizeError != nil}
}

type zipQuestion struct {
	Path, Version, File, Dir, Prefix string
	Files                            []sourceFile
	Data, Other                      []byte
}

func (q zipQuestion) module() module.Version { return module.Version{Path: q.Path, Version: q.Version} }

func (q zipQuestion) list() []zip.File {
	var files []zip.File
	for _, f := range q.Files {
		files = append(files, f)
	}
	return files
}

// hashOf makes a zip and gives the h1 of what is in it.
func hashOf(create func(io.Writer) error) (any, error) {
	f, err := os.CreateTemp("", "oracle-*.zip")
	if err != nil {
		return nil, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if err := create(f); err != nil {
		return nil, err
	}
	return dirhash.HashZip(f.Name(), dirhash.Hash1)
}

var categories = []*unicode.RangeTable{
	unicode.L, unicode.M, unicode.N, unicode.P, unicode.S, unicode.Z, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs,
}

// runes tells of every rune that this Go's Unicode has assigned: [first, last] of runs of letters and of others, and
// the smallest of its folding orbit where that is another rune.
func runes(json.RawMessage) (any, error) {
	letters, others, folds := [][2]rune{}, [][2]rune{}, [][2]rune{}
	grow := func(runs *[][2]rune, r rune) {
		if n := len(*runs); n > 0 && (*runs)[n-1][1] == r-1 {
			(*runs)[n-1][1] = r
		} else {
			*runs = append(*runs, [2]rune{r, r})
		}
	}
	for r := rune(0); r <= unicode.MaxRune; r++ {
		switch {
		case unicode.IsLetter(r):
			grow(&letters, r)
		case unicode.In(r, categories...):
			grow(&others, r)
		}
		smallest := r
		for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
			smallest = min(smallest, next)
		}
		if smallest != r {
			folds = append(folds, [2]rune{r, smallest})
		}
	}
	return map[string]any{"version": unicode.Version, "letters": letters, "others": others, "folds": folds}, nil
}

func init() {
	zips := map[string]func(q zipQuestion) (any, error){
		"check_zip": func(q zipQuestion) (any, error) {
			cf, err := zip.CheckZip(q.module(), q.File)
			return report(cf, ""), err
		},
		"check_files": func(q zipQuestion) (any, error) {
			cf, err := zip.CheckFiles(q.list())
			return report(cf, ""), err
		},
		"check_dir": func(q zipQuestion) (any, error) {
			cf, err := zip.CheckDir(q.Dir)
			return report(cf, q.Dir), err
		},
		"create_zip": func(q zipQuestion) (any, error) {
			return hashOf(func(w io.Writer) error { return zip.Create(w, q.module(), q.list()) })
		},
		"create_zip_from_dir": func(q zipQuestion) (any, error) {
			return hashOf(func(w io.Writer) error { return zip.CreateFromDir(w, q.module(), q.Dir) })
		},
		"hash_zip": func(q zipQuestion) (any, error) { return dirhash.HashZip(q.File, dirhash.Hash1) },
		"hash_dir": func(q zipQuestion) (any, error) { return dirhash.HashDir(q.Dir, q.Prefix, dirhash.Hash1) },
		"hash_mod": func(q zipQuestion) (any, error) {
			open := func(string) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(q.Data)), nil }
			return dirhash.Hash1([]string{"go.mod"}, open)
		},
		"fold_collision": func(q zipQuestion) (any, error) {
			return strings.EqualFold(string(q.Data), string(q.Other)), nil
		},
	}
	for name, op := range zips {
		ops[name] = func(line json.RawMessage) (any, error) {
			var q zipQuestion
			if err := json.Unmarshal(line, &q); err != nil {
				return nil, err
			}
			return op(q)
		}
	}
	ops["runes"] = runes
}

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// Texts are []byte, base64 in JSON: they need not be UTF-8.

type ruleQuestion struct {
	Text, Other []byte
	List        [][]byte
	Seconds     int64
}

var errNo = errors.New("no")

// said gives a value with a refusal where the rule's answer is a plain no.
func said(value any, yes bool) (any, error) {
	if yes {
		return value, nil
	}
	return value, errNo
}

func texts(list [][]byte) []string {
	out := []string{}
	for _, text := range list {
		out = append(out, string(text))
	}
	return out
}

func splitPath(path string) (prefix, major string, err error) {
	prefix, major, ok := module.SplitPathVersion(path)
	if !ok {
		return "", "", errNo
	}
	return prefix, major, nil
}

func checkPathMajor(path, version string) error {
	_, major, err := splitPath(path)
	if err != nil {
		return err
	}
	if module.MatchPathMajor(version, major) != (module.CheckPathMajor(version, major) == nil) {
		panic("MatchPathMajor is not CheckPathMajor")
	}
	return module.CheckPathMajor(version, major)
}

// checkKept is Check for a version that may stand in the URL of a zip.
func checkKept(path, version string) error {
	if module.CanonicalVersion(version) != version {
		return errNo
	}
	if _, err := module.EscapeVersion(version); err != nil {
		return err
	}
	return module.Check(path, version)
}

// A stamp is a time that knows whether it was read.
type stamp struct {
	time.Time
	read bool
}

func (s *stamp) UnmarshalJSON(data []byte) error {
	s.read = s.read || string(data) != "null"
	return s.Time.UnmarshalJSON(data)
}

// An info is what cmd/go reads a .info file into.
type info struct {
	Version string
	Time    stamp
	Origin  *struct {
		VCS, URL, Subdir, Hash, TagPrefix, TagSum, Ref, RepoSum string
	}
}

// readInfo gives a version, microseconds since 1970 or null, and the fields of the origin or null.
func readInfo(data []byte) (any, error) {
	var i info
	if err := json.Unmarshal(data, &i); err != nil {
		return nil, err
	}
	if i.Version == "" || module.CanonicalVersion(i.Version) != i.Version {
		return nil, errNo
	}
	if _, err := module.EscapeVersion(i.Version); err != nil {
		return nil, err
	}
	out := map[string]any{"version": i.Version, "time_us": nil, "origin": nil}
	if i.Time.read {
		out["time_us"] = i.Time.UnixMicro()
	}
	if o := i.Origin; o != nil {
		out["origin"] = []string{o.VCS, o.URL, o.Subdir, o.Hash, o.TagPrefix, o.TagSum, o.Ref, o.RepoSum}
	}
	return out, nil
}

type modFault struct {
	Line int `json:"line"`
}

// readMod gives the parts of a go.mod as lists of texts, or the line of the first fault.
func readMod(data []byte, parse func(string, []byte, modfile.VersionFixer) (*modfile.File, error)) (any, error) {
	f, err := parse("go.mod", data, nil)
	var list modfile.ErrorList
	if errors.As(err, &list) {
		return modFault{list[0].Pos.Line}, err
	}
	if err != nil {
		return nil, err
	}
	out := map[string][][]string{}
	add := func(name string, words ...string) { out[name] = append(out[name], words) }
	if f.Module != nil {
		add("module", f.Module.Mod.Path, f.Module.Deprecated)
	}
	if f.Go != nil {
		add("go", f.Go.Version)
	}
	if f.Toolchain != nil {
		add("toolchain", f.Toolchain.Name)
	}
	for _, r := range f.Require {
		add("require", r.Mod.Path, r.Mod.Version, fmt.Sprint(r.Indirect))
	}
	for _, r := range f.Exclude {
		add("exclude", r.Mod.Path, r.Mod.Version)
	}
	for _, r := range f.Replace {
		add("replace", r.Old.Path, r.Old.Version, r.New.Path, r.New.Version)
	}
	for _, r := range f.Retract {
		add("retract", r.Low, r.High, r.Rationale)
	}
	for _, g := range f.Godebug {
		add("godebug", g.Key, g.Value)
	}
	for _, t := range f.Tool {
		add("tool", t.Path)
	}
	for _, i := range f.Ignore {
		add("ignore", i.Path)
	}
	return out, nil
}

func init() {
	rules := map[string]func(text, other string, q ruleQuestion) (any, error){
		"check_path":        func(text, _ string, _ ruleQuestion) (any, error) { return nil, module.CheckPath(text) },
		"check_import_path": func(text, _ string, _ ruleQuestion) (any, error) { return nil, module.CheckImportPath(text) },
		"check_file_path":   func(text, _ string, _ ruleQuestion) (any, error) { return nil, module.CheckFilePath(text) },
		"escape_path":       func(text, _ string, _ ruleQuestion) (any, error) { return module.EscapePath(text) },
		"unescape_path":     func(text, _ string, _ ruleQuestion) (any, error) { return module.UnescapePath(text) },
		"escape_version":    func(text, _ string, _ ruleQuestion) (any, error) { return module.EscapeVersion(text) },
		"unescape_version":  func(text, _ string, _ ruleQuestion) (any, error) { return module.UnescapeVersion(text) },
		"split_path": func(text, _ string, _ ruleQuestion) (any, error) {
			prefix, major, err := splitPath(text)
			return []string{prefix, major}, err
		},
		"path_major_prefix": func(text, _ string, _ ruleQuestion) (any, error) {
			_, major, err := splitPath(text)
			if err != nil || strings.HasSuffix(major, "v-unstable") { // which makes PathMajorPrefix panic
				return nil, errNo
			}
			return module.PathMajorPrefix(major), nil
		},
		"check_path_major": func(text, other string, _ ruleQuestion) (any, error) { return nil, checkPathMajor(text, other) },
		"check":            func(text, other string, _ ruleQuestion) (any, error) { return nil, module.Check(text, other) },
		"check_kept":       func(text, other string, _ ruleQuestion) (any, error) { return nil, checkKept(text, other) },
		"semver_parts": func(text, _ string, _ ruleQuestion) (any, error) {
			parts := []string{
				semver.Canonical(text), semver.Major(text), semver.MajorMinor(text), semver.Prerelease(text), semver.Build(text),
			}
			return said(parts, semver.IsValid(text))
		},
		"semver_compare": func(text, other string, _ ruleQuestion) (any, error) {
			return said(semver.Compare(text, other), semver.IsValid(text) && semver.IsValid(other))
		},
		"semver_sort": func(_, _ string, q ruleQuestion) (any, error) {
			list, valid := texts(q.List), true
			for _, version := range list {
				valid = valid && semver.IsValid(version)
			}
			semver.Sort(list)
			return said(list, valid)
		},
		"canonical_version": func(text, _ string, _ ruleQuestion) (any, error) {
			version := module.CanonicalVersion(text)
			return said(version, version != "")
		},
		"is_pseudo": func(text, _ string, _ ruleQuestion) (any, error) { return said(nil, module.IsPseudoVersion(text)) },
		"pseudo_version": func(text, other string, q ruleQuestion) (any, error) {
			at := time.Unix(q.Seconds, 0).In(time.FixedZone("", 3600))
			return said(module.PseudoVersion(semver.Major(text), text, at, other), semver.IsValid(text))
		},
		"pseudo_base": func(text, _ string, _ ruleQuestion) (any, error) { return module.PseudoVersionBase(text) },
		"pseudo_rev":  func(text, _ string, _ ruleQuestion) (any, error) { return module.PseudoVersionRev(text) },
		"pseudo_time": func(text, _ string, _ ruleQuestion) (any, error) {
			at, err := module.PseudoVersionTime(text)
			return at.Unix(), err
		},
		"patterns": func(text, other string, _ ruleQuestion) (any, error) {
			return said(nil, module.MatchPrefixPatterns(text, other))
		},
		"module_path": func(text, _ string, _ ruleQuestion) (any, error) {
			path := modfile.ModulePath([]byte(text))
			return said(path, path != "")
		},
		"mod_strict": func(text, _ string, _ ruleQuestion) (any, error) { return readMod([]byte(text), modfile.Parse) },
		"mod_lax":    func(text, _ string, _ ruleQuestion) (any, error) { return readMod([]byte(text), modfile.ParseLax) },
		"info":       func(text, _ string, _ ruleQuestion) (any, error) { return readInfo([]byte(text)) },
	}
	for name, rule := range rules {
		ops[name] = func(line json.RawMessage) (any, error) {
			var q ruleQuestion
			if err := json.Unmarshal(line, &q); err != nil {
				return nil, err
			}
			return rule(string(q.Text), string(q.Other), q)
		}
	}
}

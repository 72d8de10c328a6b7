package fuzz

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"sync"

	"why520/wire"
)

//go:embed vectors/*.txt
var files embed.FS

// A Vector is a response, how it ended, and what a strict recipient says of it.
// vectors/README.md describes the files that they are kept in.
type Vector struct {
	Name    string   // of the file, without its ending
	Bytes   []byte   // the response
	End     wire.End // how it ended
	Request wire.Request
	Limits  wire.Limits // tolerated reasons included

	Reason  wire.Reason  // OK: it is accepted
	Offset  int64        // of the byte at fault; -1: none is
	Notes   []wire.Found // and violations that are tolerated
	Content []byte       // nil unless Known
	Known   bool         // Content is told
	RFC     string       // the section that decides it
	Why     string       // the scenario
}

// Vectors gives all of them, in the order of their names. Their Bytes must not
// be changed. It panics where an embedded file is broken, which a test of this
// package rules out.
func Vectors() []Vector { return slices.Clone(vectors()) }

var vectors = sync.OnceValue(func() []Vector {
	all, err := load(files)
	if err != nil {
		panic(err)
	}
	return all
})

// vectorsByBytes has the vectors by their bytes: some differ in the request or
// the end alone.
var vectorsByBytes = sync.OnceValue(func() map[string][]Vector {
	all := map[string][]Vector{}
	for _, v := range vectors() {
		all[string(v.Bytes)] = append(all[string(v.Bytes)], v)
	}
	return all
})

// load reads the vectors of a file system; none at all is an error.
func load(files fs.FS) ([]Vector, error) {
	names, err := fs.Glob(files, "vectors/*.txt")
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("fuzz: there are no vectors")
	}
	var all []Vector
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		v, err := parseVector(string(text))
		if err != nil {
			return nil, fmt.Errorf("fuzz: %s: %w", name, err)
		}
		v.Name = strings.TrimSuffix(strings.TrimPrefix(name, "vectors/"), ".txt")
		all = append(all, v)
	}
	return all, nil
}

func parseVector(text string) (Vector, error) {
	v := Vector{Offset: -1}
	head, body, found := strings.Cut(text, "\n\n")
	if !found {
		return v, fmt.Errorf("no empty line behind the header")
	}
	seen := map[string]bool{}
	for line := range strings.SplitSeq(head, "\n") {
		key, value, found := strings.Cut(line, ": ")
		if !found {
			return v, fmt.Errorf("header line %q: want key: value", line)
		}
		if seen[key] {
			return v, fmt.Errorf("key %q comes twice", key)
		}
		seen[key] = true
		if err := v.set(key, value); err != nil {
			return v, fmt.Errorf("%s: %w", key, err)
		}
	}
	for _, key := range []string{"reason", "end", "why"} {
		if !seen[key] {
			return v, fmt.Errorf("key %q is missing", key)
		}
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(body, "\n"), "\n") {
		b, err := parseBytes(line)
		if err != nil {
			return v, fmt.Errorf("bytes %.60q: %w", line, err)
		}
		v.Bytes = append(v.Bytes, b...)
	}
	return v, nil
}

// asCase gives v as a Case.
func (v *Vector) asCase() Case {
	return Case{Bytes: v.Bytes, End: v.End, Request: v.Request, Limits: v.Limits, Vector: v.Name, Want: wire.SetOf(v.Reason), Content: v.Content}
}

// set takes a line of the header.
func (v *Vector) set(key, value string) (err error) {
	budgets := map[string]*int{
		"head": &v.Limits.Head, "line": &v.Limits.Line, "fields": &v.Limits.Fields, "interim": &v.Limits.Interim,
		"chunk-line": &v.Limits.ChunkLine, "trailer": &v.Limits.Trailer, "measure": &v.Limits.Measure,
	}
	if budget := budgets[key]; budget != nil {
		*budget, err = strconv.Atoi(value)
		return err
	}
	switch key {
	case "reason":
		return v.Reason.UnmarshalText([]byte(value))
	case "offset":
		v.Offset, err = strconv.ParseInt(value, 10, 64)
	case "end":
		return v.End.UnmarshalText([]byte(value))
	case "method":
		v.Request.Method = value
	case "upgrade":
		v.Request.Upgrade = value == "yes"
	case "body":
		v.Limits.Body, err = strconv.ParseInt(value, 10, 64)
	case "tolerate":
		return v.Limits.Tolerate.UnmarshalText([]byte(value))
	case "content":
		v.Known = true
		v.Content, err = parseBytes(value)
	case "notes":
		for note := range strings.FieldsSeq(value) {
			token, at, _ := strings.Cut(note, "@")
			var f wire.Found
			if err := f.Reason.UnmarshalText([]byte(token)); err != nil {
				return err
			}
			if f.Offset, err = strconv.ParseInt(at, 10, 64); err != nil {
				return err
			}
			v.Notes = append(v.Notes, f)
		}
	case "rfc":
		v.RFC = value
	case "why":
		v.Why = value
	default:
		return fmt.Errorf("no such key")
	}
	return err
}

// parseBytes reads a Go string literal, repeated perhaps; an empty line is no
// bytes.
func parseBytes(line string) ([]byte, error) {
	if line == "" {
		return nil, nil
	}
	literal, err := strconv.QuotedPrefix(line)
	if err != nil {
		return nil, err
	}
	text, err := strconv.Unquote(literal)
	if err != nil {
		return nil, err
	}
	times := 1
	if rest := line[len(literal):]; rest != "" {
		count, found := strings.CutPrefix(rest, " * ")
		if times, err = strconv.Atoi(count); !found || err != nil {
			return nil, fmt.Errorf("%q behind the literal: want \" * \" and a number", rest)
		}
	}
	return bytes.Repeat([]byte(text), times), nil
}

// Package ossfuzz has the fuzz targets that are built for OSS-Fuzz: by an engine
// of its own, which takes one package and its one test file. They are those of
// the packages' own tests, as far as public oracles go; the Prober's is left
// out, for it needs a network.
package ossfuzz

import (
	"encoding/json"
	"io"
	"testing"

	"why520/fuzz"
	"why520/validator"
	"why520/validator/report"
	"why520/wire"
)

// check asks the oracles for whole responses about b.
func check(t *testing.T, b []byte) {
	t.Helper()
	subject := fuzz.Subject{Read: fuzz.Strict}
	for _, err := range subject.Check(b) {
		t.Errorf("%v", err)
	}
}

func FuzzHead(f *testing.F) {
	fuzz.Run[*testing.T](f, fuzz.Subject{
		Parser:   func() fuzz.Parser { return fuzz.Wire(wire.Limits{}) },
		Budgeted: func(head int) fuzz.Parser { return fuzz.Wire(wire.Limits{Head: head}) },
	})
}

func FuzzReader(f *testing.F) {
	fuzz.Run[*testing.T](f, fuzz.Subject{Read: fuzz.Strict})
}

// FuzzFraming takes its input as field lines.
func FuzzFraming(f *testing.F) {
	f.Fuzz(func(t *testing.T, fields []byte) {
		check(t, append(append([]byte("HTTP/1.1 200 OK\r\n"), fields...), "\r\n\r\n5\r\nhello\r\n0\r\n\r\n"...))
	})
}

// FuzzBody takes its input as chunked content.
func FuzzBody(f *testing.F) {
	f.Fuzz(func(t *testing.T, body []byte) {
		check(t, append([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), body...))
	})
}

// FuzzJudge takes its input as stored evidence, or as a response.
func FuzzJudge(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		e := new(validator.Evidence)
		if json.Unmarshal(data, e) != nil {
			e = validator.Read(data, validator.RequestFacts{}, validator.ReadOptions{})
		}
		v := validator.Judge(e, nil)
		if v.OK() != (v.EdgeStatus == 0) || v.Reason.Info().Token == "" {
			t.Errorf("reason %v, status %d", v.Reason, v.EdgeStatus)
		}
		if err := report.Text(io.Discard, e, &v, report.Options{}); err != nil {
			t.Error(err)
		}
	})
}

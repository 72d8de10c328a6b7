package fuzz

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"reflect"
	"slices"
	"strings"

	"why520/wire"
)

// Splits checks that the result of a Reader is the same however its source is
// split into reads.
func Splits(read Reader, k Case) error {
	wantRes, wantErr := read(k.Request, k.source(nil))
	each := make([]int, len(k.Bytes))
	for i := range each {
		each[i] = i
	}
	for _, split := range []struct {
		how  string
		cuts []int
	}{{fmt.Sprintf("with cuts at %v", k.Cuts), k.Cuts}, {"byte by byte", each}} {
		res, err := read(k.Request, k.source(split.cuts))
		if (err == nil) != (wantErr == nil) || !sameReason(err, wantErr) || !reflect.DeepEqual(res, wantRes) {
			return finding("splits", k, "read whole %s, %v; %s %s, %v", wantRes, wantErr, split.how, res, err)
		}
	}
	return nil
}

// source gives k as an io.Reader that ends as k does.
func (k *Case) source(cuts []int) io.Reader { return &pieces{b: k.Bytes, cuts: cuts, end: k.End} }

// Strictly checks that a Reader accepts what a strict recipient does, reads it
// alike, and refuses what that refuses. Fields that are untold are not compared.
func Strictly(read Reader, k Case, untold ...string) error {
	want, refusal := StrictUnder(k.Limits)(k.Request, k.source(nil))
	got, err := read(k.Request, k.source(nil))
	switch {
	case refusal != nil && err == nil:
		return finding("strictly", k, "accepted as %s", got)
	case refusal == nil && err != nil:
		return finding("strictly", k, "refused: %v; want %s", err, want)
	case refusal == nil:
		return alike("strictly", k, want, got, untold)
	}
	return nil
}

// Conforms checks that a Reader says of a vector what a strict recipient does,
// asked with the vector's own method and end: Expected of it. Where the vector
// has Limits, it holds for a Reader under these alone, and where they have a
// Measure, for one that goes on to measure.
func Conforms(read Reader, v Vector) error { return Expected(read, v.asCase()) }

// Expected checks, of a Case whose Want is known, that a Reader accepts it if and
// only if a strict recipient does, and reads its content, if that is known; and
// where the Reader's errors are Reasons, that the fault is called by its name.
func Expected(read Reader, k Case) error {
	res, err := read(k.Request, k.source(nil))
	var reason wire.Reason
	switch {
	case err == nil && !k.Want.Has(wire.OK):
		return finding("expected", k, "accepted as %s", res)
	case err == nil && k.Content != nil && !bytes.Equal(res.Content, k.Content):
		return finding("expected", k, "content %.200q, want %.200q", res.Content, k.Content)
	case errors.As(err, &reason) && !k.Want.Has(reason), err != nil && k.Want.Has(wire.OK):
		return finding("expected", k, "refused: %v", err)
	}
	return nil
}

// Differential checks that what read accepts is read alike by net/http. What net/http
// is known to refuse passes: see Disagreements. Fields that are untold are not compared.
func Differential(read Reader, k Case, untold ...string) error {
	got, err := read(k.Request, k.source(nil))
	if err != nil {
		return nil
	}
	want, err := NetHTTP(k.Request, k.source(nil))
	if err != nil {
		for _, d := range disagreements {
			if d.applies(k, got, err) {
				return nil
			}
		}
		return finding("differential", k, "net/http refuses it: %v; read as %s", err, got)
	}
	return alike("differential", k, want, got, untold)
}

// alike compares what two Readers read of k, for what both can tell: in
// canonical names, without the fields that are untold and those that many
// clients take out.
func alike(oracle string, k Case, want, got *Response, untold []string) error {
	untold = append([]string{"Transfer-Encoding", "Trailer", "Connection"}, untold...)
	a, b := comparable(want, untold), comparable(got, untold)
	if !reflect.DeepEqual(a, b) {
		return finding(oracle, k, "read as %s; want %s", &b, &a)
	}
	return nil
}

func comparable(r *Response, untold []string) Response {
	return Response{
		Head:     Head{Status: r.Status, Minor: r.Minor, Fields: canonical(r.Fields, untold)},
		Content:  slices.Concat(r.Content),
		Trailers: canonical(r.Trailers, untold),
	}
}

// canonical gives fields sorted by name, those of one name in their order.
func canonical(fields []Field, untold []string) []Field {
	var all []Field
	for _, f := range fields {
		if !slices.ContainsFunc(untold, func(name string) bool { return strings.EqualFold(name, f.Name) }) {
			all = append(all, Field{textproto.CanonicalMIMEHeaderKey(f.Name), f.Value})
		}
	}
	slices.SortStableFunc(all, func(a, b Field) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// A disagreement is a way in which net/http refuses what is well-formed.
type disagreement struct {
	name, why string
	applies   func(k Case, got *Response, err error) bool
}

func says(text string) func(Case, *Response, error) bool {
	return func(_ Case, _ *Response, err error) bool { return strings.Contains(err.Error(), text) }
}

var disagreements = []disagreement{
	{"chunk-size-zeros", "leading zeros beyond 16 digits are legal (RFC 9112 section 7.1), net/http counts digits", says("chunk length too large")},
	{"chunk-line-long", "a size line has a budget of 4096 bytes in both, net/http counts otherwise", says("line too long")},
	{"chunk-overhead", "net/http bounds framing by content", says("too much non-data")},
	{"chunk-extension-space", "white space before the semicolon of an extension is legal (RFC 9112 section 7.1.1)", says("invalid byte in chunk length")},
	{"framing-of-204", "Content-Length and Transfer-Encoding on a 204 or an interim response frame nothing, and are ignored here with a note", func(k Case, got *Response, err error) bool {
		frames := strings.Contains(err.Error(), "ransfer encoding") || strings.Contains(err.Error(), "Content-Length")
		interim := len(k.Bytes) > 9 && k.Bytes[9] == '1'
		return frames && (got.Status == 204 || interim)
	}},
	{"trailer-names", "net/http refuses a Trailer field that names a framing field", says("bad trailer key")},
}

// Disagreements names what Differential lets pass, and why.
func Disagreements() map[string]string {
	all := map[string]string{}
	for _, d := range disagreements {
		all[d.name] = d.why
	}
	return all
}

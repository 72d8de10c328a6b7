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

// A Finding is what is wrong with a Reader.
type Finding struct {
	Oracle string
	Reason wire.Reason // that a strict recipient refuses the response with; OK: it accepts it
	Detail string
}

func (f *Finding) Error() string {
	if f.Reason == wire.OK {
		return f.Oracle + ": " + f.Detail
	}
	return fmt.Sprintf("%s: %s: %s", f.Oracle, f.Reason, f.Detail)
}

// Splits checks that the result of a Reader is the same however its source is
// split into reads.
func Splits(read Reader, k Case) error {
	wantRes, wantErr := read(k.Request, k.source(nil))
	each := make([]int, len(k.Bytes))
	for i := range each {
		each[i] = i
	}
	for _, cuts := range [][]int{k.Cuts, each} {
		res, err := read(k.Request, k.source(cuts))
		if (err == nil) != (wantErr == nil) || !sameReason(err, wantErr) || !reflect.DeepEqual(res, wantRes) {
			return &Finding{Oracle: "splits", Detail: fmt.Sprintf("read whole %s, %v; with cuts at %v %s, %v", wantRes, wantErr, cuts, res, err)}
		}
	}
	return nil
}

// source gives k as an io.Reader that ends as k does.
func (k *Case) source(cuts []int) io.Reader { return &pieces{b: k.Bytes, cuts: cuts, end: k.End} }

// Strictly checks that a Reader accepts what a strict recipient does, reads it
// alike, and refuses what that refuses.
func Strictly(read Reader, k Case) error {
	want, refusal := StrictUnder(k.Limits)(k.Request, k.source(nil))
	got, err := read(k.Request, k.source(nil))
	switch {
	case refusal != nil && err == nil:
		reason, _ := refusal.(wire.Reason)
		return &Finding{"strictly", reason, "accepted as " + got.String()}
	case refusal == nil && err != nil:
		return &Finding{Oracle: "strictly", Detail: fmt.Sprintf("well-formed, and refused: %v; want %s", err, want)}
	case refusal == nil:
		return alike("strictly", want, got)
	}
	return nil
}

// Expected checks, of a Case that was generated, that a Reader accepts it if and
// only if it is well-formed, and reads its content; and where the Reader's
// errors are Reasons, that the damage is called by its name.
func Expected(read Reader, k Case) error {
	res, err := read(k.Request, k.source(nil))
	var reason wire.Reason
	switch {
	case err == nil && !k.Want.Has(wire.OK):
		return &Finding{Oracle: "expected", Detail: fmt.Sprintf("accepted with this damage: %s", k)}
	case err == nil && !bytes.Equal(res.Content, k.Content):
		return &Finding{Oracle: "expected", Detail: fmt.Sprintf("content %.200q, want %.200q, of %s", res.Content, k.Content, k)}
	case errors.As(err, &reason) && !k.Want.Has(reason), err != nil && k.Want.Has(wire.OK):
		return &Finding{Oracle: "expected", Detail: fmt.Sprintf("refused as %v: %s", err, k)}
	}
	return nil
}

// Differential checks that what read accepts is read alike by net/http. What net/http
// is known to refuse passes: see Disagreements.
func Differential(read Reader, k Case) error {
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
		return &Finding{Oracle: "differential", Detail: fmt.Sprintf("net/http refuses it: %v; read as %s", err, got)}
	}
	return alike("differential", want, got)
}

// alike compares what two Readers read, for what every Reader can tell: in
// canonical names, and without the fields that some take out.
func alike(oracle string, want, got *Response) error {
	a, b := comparable(want), comparable(got)
	if !reflect.DeepEqual(a, b) {
		return &Finding{Oracle: oracle, Detail: fmt.Sprintf("read as %s; want %s", got, want)}
	}
	return nil
}

func comparable(r *Response) Response {
	return Response{
		Head:     Head{Status: r.Status, Minor: r.Minor, Fields: canonical(r.Fields)},
		Content:  slices.Concat(r.Content),
		Trailers: canonical(r.Trailers),
	}
}

// canonical gives fields sorted by name, those of one name in their order.
func canonical(fields []Field) []Field {
	var all []Field
	for _, f := range fields {
		name := textproto.CanonicalMIMEHeaderKey(f.Name)
		if name != "Transfer-Encoding" && name != "Trailer" && name != "Connection" {
			all = append(all, Field{name, f.Value})
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

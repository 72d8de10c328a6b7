package edge

import (
	"strconv"
	"strings"
)

// A form is what a failure can be told in.
type form int

const (
	text form = iota
	page
	problem
)

// forms are the media types of the forms, in the order of our preference: where
// a client takes anything it is a tool at a terminal.
var forms = []struct {
	form      form
	mediaType string
}{
	{text, "text/plain"},
	{page, "text/html"},
	{problem, "application/problem+json"},
	{problem, "application/json"},
}

// negotiate chooses a form by the values of Accept (RFC 9110 section 12.5.1):
// the highest weight wins, of these what the client names most exactly, of these
// what it names first. A client that takes nothing of ours is sent text.
func negotiate(accept []string) form {
	chosen, best := text, rank{}
	for _, f := range forms {
		var most *acceptRange // that covers this media type, the most exact one rules
		place := 0
		for item := range splitOutsideQuotes(strings.Join(accept, ","), ',') {
			if r, ok := parseRange(item, place); ok && r.covers(f.mediaType) && (most == nil || r.rules(most, f.mediaType)) {
				most = &r
			}
			place++
		}
		if most != nil && most.weight > 0 && best.less(most.rank) {
			chosen, best = f.form, most.rank
		}
	}
	return chosen
}

// A rank orders what a client accepts.
type rank struct {
	weight float64
	exact  int // 0: */*, 1: type/*, 2: type/subtype
	place  int // in the field
}

func (a rank) less(b rank) bool {
	switch {
	case a.weight != b.weight:
		return a.weight < b.weight
	case a.exact != b.exact:
		return a.exact < b.exact
	}
	return a.weight == 0 || a.exact > 0 && b.place < a.place
}

type acceptRange struct {
	rank
	kind, subtype string
	narrow        bool // it has parameters that nothing of ours has
}

// covers reports whether a media type of ours is in the range. One with parameters is
// taken for the wish for its type, and any JSON for that for JSON.
func (r *acceptRange) covers(mediaType string) bool {
	kind, subtype, _ := strings.Cut(mediaType, "/")
	return (r.kind == "*" || r.kind == kind) && (r.subtype == "*" || r.subtype == subtype || subtype == "json" && r.isJSON())
}

func (r *acceptRange) isJSON() bool { return strings.HasSuffix(r.subtype, "+json") }

// rules reports whether a range that covers the media type goes before another that
// does: the more exact one, and of two the one that means it without more ado.
func (r *acceptRange) rules(other *acceptRange, mediaType string) bool {
	if r.exact != other.exact {
		return r.exact > other.exact
	}
	literal := func(r *acceptRange) bool { return !r.narrow && (r.exact < 2 || r.kind+"/"+r.subtype == mediaType) }
	return literal(r) && !literal(other)
}

// parseRange takes
//
//	media-range [ weight ]
//
// of RFC 9110 section 12.5.1. What follows the weight is passed over.
func parseRange(item string, place int) (r acceptRange, ok bool) {
	name, parameters, _ := strings.Cut(item, ";")
	r.kind, r.subtype, ok = strings.Cut(strings.ToLower(strings.TrimSpace(name)), "/")
	if !ok || r.kind == "*" && r.subtype != "*" {
		return r, false
	}
	r.weight, r.place = 1, place
	if r.kind != "*" {
		r.exact++
	}
	if r.subtype != "*" {
		r.exact++
	}
	for p := range splitOutsideQuotes(parameters, ';') {
		key, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		switch strings.ToLower(key) {
		case "":
		case "q":
			q, err := strconv.ParseFloat(value, 64)
			if err != nil || !(0 <= q && q <= 1) {
				return r, false
			}
			r.weight = q
			return r, true
		case "charset":
			r.narrow = r.narrow || !strings.EqualFold(strings.Trim(value, `"`), "utf-8")
		default:
			r.narrow = true
		}
	}
	return r, true
}

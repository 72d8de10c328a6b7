package validator

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"time"

	"why520/wire"
)

// An Edge is a proxy, or an edge network, with the budgets and deadlines that
// it is known to have for an origin's response.
type Edge struct {
	Name     string
	Head     int    // bytes of a head; 0: not limited
	Line     int    // bytes of a line without its CRLF; 0: the head's
	Fields   int    // field lines; 0: not limited
	Interim  int    // interim responses; 0: not known
	Since    string // the version or time that this is of
	HowKnown string

	Deadlines Deadlines     // zero: not known, or none
	Keep      time.Duration // an idle connection is kept so long; 0: not known
}

//go:embed edges.tsv
var edgesTable string

//go:embed edge_timeouts.tsv
var edgeTimeoutsTable string

var edges = loadEdges()

// Edges gives the edges that are known, in the order of the table.
func Edges() []Edge { return append([]Edge(nil), edges...) }

// EdgeByName finds an edge.
func EdgeByName(name string) (Edge, bool) {
	for _, e := range edges {
		if e.Name == name {
			return e, true
		}
	}
	return Edge{}, false
}

// Limits gives the budgets of e as those of a parser: what e does not limit is
// limited so that no origin will notice.
func (e Edge) Limits() wire.Limits {
	l := wire.Limits{Head: e.Head, Line: e.Line, Fields: e.Fields, Interim: e.Interim}
	if l.Head == 0 {
		l.Head = wire.MaxLimit
	}
	if l.Fields == 0 {
		l.Fields = 1 << 20
	}
	return l
}

// Deadlined gives d with those of e in the place of what is zero in d.
func (e Edge) Deadlined(d Deadlines) Deadlines {
	for _, f := range []struct{ own, edge *time.Duration }{
		{&d.Connect, &e.Deadlines.Connect}, {&d.Write, &e.Deadlines.Write},
		{&d.FirstByte, &e.Deadlines.FirstByte}, {&d.Idle, &e.Deadlines.Idle},
	} {
		if *f.own == 0 {
			*f.own = *f.edge
		}
	}
	return d
}

// Passes reports whether e would pass the head of r, or else which of its
// limits is in the way: "head 4095", "line 8190", "fields 96", "interim 10".
func (e Edge) Passes(r *Response) (pass bool, limit string) {
	h := r.Head
	for _, c := range []struct {
		what        string
		have, limit int
	}{{"line", h.Longest, e.Line}, {"head", h.Size, e.Head}, {"fields", h.Fields, e.Fields}, {"interim", r.Interim, e.Interim}} {
		if c.limit > 0 && c.have > c.limit {
			return false, fmt.Sprintf("%s %d", c.what, c.limit)
		}
	}
	return true, ""
}

// loadEdges reads the embedded tables; a test reads every cell of them.
func loadEdges() []Edge {
	var all []Edge
	for row := range tableRows(edgesTable) {
		e := Edge{Name: row[0], Since: row[5], HowKnown: row[6]}
		for i, to := range []*int{&e.Head, &e.Line, &e.Fields, &e.Interim} {
			*to = int(cell(row[1+i]))
		}
		for t := range tableRows(edgeTimeoutsTable) {
			if t[0] != e.Name {
				continue
			}
			d := &e.Deadlines
			for i, to := range []*time.Duration{&d.Connect, nil, &d.FirstByte, &d.Idle, &d.Write, &e.Keep} {
				if to != nil {
					*to = time.Duration(cell(t[1+i]) * float64(time.Second))
				}
			}
		}
		all = append(all, e)
	}
	return all
}

// tableRows gives the cells of each row of a TSV table but the first.
func tableRows(table string) func(yield func([]string) bool) {
	return func(yield func([]string) bool) {
		for i, line := range strings.Split(strings.TrimSpace(table), "\n") {
			if i > 0 && !yield(strings.Split(line, "\t")) {
				return
			}
		}
	}
}

func cell(s string) float64 {
	if s == "" {
		return 0
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil {
		panic("validator: the embedded table of edges has a cell " + strconv.Quote(s))
	}
	return n
}

package bench

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// A draft is an input in its parts.
type draft struct {
	interim string // heads before
	status  string // the status line
	lines   []line
	refused bool
	body    *body // nil: a head alone
}

// A line is a field line. Its core, if any, can be of any length.
type line struct{ name, before, core, after string }

type body struct {
	content []byte
	framed  []byte
}

func (l *line) value() string { return l.before + l.core + l.after }

func (d *draft) append(b []byte) []byte {
	b = append(b, d.interim...)
	b = append(b, d.status+"\r\n"...)
	for _, l := range d.lines {
		b = append(b, l.name+": "+l.value()+"\r\n"...)
	}
	return append(b, "\r\n"...)
}

// want gives what is to be said of d, the heads of which are of so many bytes.
func (d *draft) want(head int) Result {
	if d.refused {
		return Result{}
	}
	var status int
	fmt.Sscanf(d.status, "HTTP/1.1 %d", &status)
	want := Result{OK: true, Head: head, Status: status, Fields: len(d.lines)}
	if d.body != nil {
		want.Content = len(d.body.content)
	}
	return want
}

// ask gives a field line to ask a parser for: from number i on, the first one
// whose name is there once and is not of framing, which some parsers keep to
// themselves.
func (d *draft) ask(i int) line {
	count := map[string]int{"content-length": 2, "transfer-encoding": 2, "connection": 2}
	for _, l := range d.lines {
		count[strings.ToLower(l.name)]++
	}
	for j := range d.lines {
		l := d.lines[(i+j)%len(d.lines)]
		if count[strings.ToLower(l.name)] == 1 {
			return l
		}
	}
	panic("bench: a head has no field that could be asked for")
}

// fit changes the lengths of cores, so that heads are of size bytes on average.
func fit(r *rand.Rand, drafts []draft, size int) {
	missing := size * len(drafts)
	for i := range drafts {
		missing -= len(drafts[i].append(nil))
	}
	for missing != 0 {
		before := missing
		for i := range drafts {
			missing -= drafts[i].grow(r, share(missing, len(drafts)-i))
		}
		if missing == before {
			panic(fmt.Sprintf("bench: no head can give way to be of %d bytes", size))
		}
	}
}

// share gives what one of so many has of n, rounded away from 0.
func share(n, of int) int {
	if n < 0 {
		return -share(-n, of)
	}
	return (n + of - 1) / of
}

// grow makes d longer by n bytes, or shorter as far as it can be, and gives by
// how many.
func (d *draft) grow(r *rand.Rand, n int) (by int) {
	const shortest = 2 // bytes of a core
	var elastic []*line
	for i := range d.lines {
		if d.lines[i].core != "" {
			elastic = append(elastic, &d.lines[i])
		}
	}
	for i, l := range elastic {
		size := max(shortest, len(l.core)+share(n-by, len(elastic)-i))
		by += size - len(l.core)
		l.core = (l.core + token(r, max(0, size-len(l.core))))[:size]
	}
	return by
}

package bench

import (
	"bytes"
	"fmt"
	"testing"
)

// Wrong is what a parser got wrong in a case.
type Wrong struct {
	Inputs int    // how many
	Of     int    // how many there are
	First  int    // the number of the first
	Why    string // what is wrong with it
}

func (w *Wrong) Error() string {
	return fmt.Sprintf("wrong on %d of %d inputs; on number %d: %s", w.Inputs, w.Of, w.First, w.Why)
}

func (w *Wrong) found(i int, format string, args ...any) {
	if w.Inputs == 0 {
		w.First, w.Why = i, fmt.Sprintf(format, args...)
	}
	w.Inputs++
}

// Check says whether p reads every input of c right. The error is a *Wrong. A
// p that takes no part in c is right.
func Check(c *Case, p Parser) error {
	if w := p.check(c); w != nil {
		return w
	}
	return nil
}

func (p *Parser) check(c *Case) *Wrong {
	parse := p.on(c)
	if parse == nil {
		return nil
	}
	before := bytes.Join(c.Inputs, nil)
	got := make([]Result, len(c.Inputs))
	for i, want := range c.Want {
		got[i].OK = !want.OK // what p does not fill is wrong
	}
	parse(c.Inputs, got)
	w := &Wrong{Of: len(c.Inputs)}
	for i, want := range c.Want {
		if why := p.differs(c, i, got[i], want); why != "" {
			w.found(i, "%s", why)
		}
	}
	if !bytes.Equal(before, bytes.Join(c.Inputs, nil)) {
		w.found(0, "an input was changed")
	}
	if w.Inputs > 0 {
		return w
	}
	return nil
}

// differs says how what p read of input i differs from what is wanted, or
// nothing.
func (p *Parser) differs(c *Case, i int, got, want Result) string {
	if got.Fields < 0 {
		got.Fields = want.Fields
	}
	switch {
	case got.OK && !want.OK:
		return "accepted; it is malformed"
	case !got.OK && want.OK:
		return "refused; it is well-formed"
	case want.OK && got != want:
		return fmt.Sprintf("got %+v, want %+v", got, want)
	case !want.OK:
		return ""
	}
	if c.Contents != nil {
		if p.Content != nil && !bytes.Equal(p.Content(c.Inputs[i]), c.Contents[i]) {
			return "its content is another"
		}
		return ""
	}
	if p.Value != nil && len(c.asked) > 0 {
		asked := &c.asked[i]
		if v := p.Value(c.Inputs[i], asked.name); v != asked.value() {
			return fmt.Sprintf("%s is %.80q, want %.80q", asked.name, v, asked.value())
		}
	}
	return ""
}

// CheckZeroAlloc fails t for every case in which p allocates once it has seen
// it: for heads that are refused as for those that are accepted. It measures the
// whole process: not for tests in parallel.
func CheckZeroAlloc(t testing.TB, p Parser) {
	t.Helper()
	for _, c := range Cases() {
		parse := p.on(&c)
		if parse == nil {
			continue
		}
		results := make([]Result, len(c.Inputs))
		if n := testing.AllocsPerRun(3, func() { parse(c.Inputs, results) }); n > 0 {
			t.Errorf("case=%s/parser=%s: %v allocations on %d inputs", c.Name, p.Name, n, len(c.Inputs))
		}
	}
}

package validator

import (
	"bytes"
	"slices"
	"strings"
)

// A tally measures a head whose bytes pass by, kept or not: lines, the longest
// of them, and what the fields of each name take together.
type tally struct {
	size    int // bytes so far
	fields  int // field lines that began
	longest int // bytes of the longest line, without its CRLF
	line    int // bytes of the current line
	cr      bool
	status  bool   // the status line ended
	name    []byte // of the current field line, as far as it is known
	named   bool   // it is complete
	charge  *FieldSize
	sizes   map[string]*FieldSize
}

const (
	tallyNames   = 256 // distinct names that are told apart
	tallyName    = 64  // bytes of a name that are kept
	tallyOthers  = "(others)"
	tallyLargest = 5
)

// add takes the next bytes of the head.
func (t *tally) add(b []byte) {
	for _, c := range b {
		t.size++
		if c == '\n' {
			t.endLine()
			continue
		}
		if t.line == 0 && t.status && c != ' ' && c != '\t' {
			t.name, t.named, t.charge = t.name[:0], false, nil
			if c != '\r' {
				t.fields++
			}
		}
		t.line++
		t.cr = c == '\r'
		switch {
		case t.charge != nil:
			t.charge.Bytes++
		case !t.status || t.named:
		case c == ':':
			t.named = true
			t.open()
		case len(t.name) < tallyName:
			t.name = append(t.name, c)
		}
	}
}

func (t *tally) endLine() {
	length := t.line
	if t.cr {
		length--
	}
	t.longest = max(t.longest, length)
	if t.charge != nil && t.line > 0 {
		t.charge.Bytes++
	}
	if length > 0 {
		t.status = true
	}
	t.line, t.cr = 0, false
}

// open finds the sum that the current field line belongs to.
func (t *tally) open() {
	if t.sizes == nil {
		t.sizes = map[string]*FieldSize{}
	}
	name := strings.ToLower(string(bytes.TrimRight(t.name, " \t")))
	if t.sizes[name] == nil && len(t.sizes) >= tallyNames {
		name = tallyOthers
	}
	s := t.sizes[name]
	if s == nil {
		s = &FieldSize{Name: name}
		t.sizes[name] = s
	}
	s.Count++
	s.Bytes += t.line
	t.charge = s
}

// largest gives the names that take the most bytes.
func (t *tally) largest() []FieldSize {
	all := make([]FieldSize, 0, len(t.sizes))
	for _, s := range t.sizes {
		all = append(all, *s)
	}
	slices.SortFunc(all, func(a, b FieldSize) int {
		if a.Bytes != b.Bytes {
			return b.Bytes - a.Bytes
		}
		return strings.Compare(a.Name, b.Name)
	})
	return slices.Clip(all[:min(len(all), tallyLargest)])
}

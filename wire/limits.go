package wire

// Limits are the budgets of a response, exact to the byte and independent of
// how the bytes were split into reads. Zero means the default; there is no
// "unlimited". Check refuses what is negative or above MaxLimit.
type Limits struct {
	Head      int   `json:"head,omitzero"`       // bytes of a head, tolerated blank lines and the final CRLF included; 8192
	Line      int   `json:"line,omitzero"`       // bytes of a line of the head, its CRLF not counted; as Head
	Fields    int   `json:"fields,omitzero"`     // field lines of a head; 256
	Interim   int   `json:"interim,omitzero"`    // interim (1xx) responses before the final one; 16
	ChunkLine int   `json:"chunk_line,omitzero"` // bytes of a chunk-size line, its CRLF not counted; 4096
	Trailer   int   `json:"trailer,omitzero"`    // bytes of a trailer section, its final CRLF included; as Head
	Measure   int   `json:"measure,omitzero"`    // bytes up to which a head over its budget is measured, in a survey; 1 MiB, never below Head
	Body      int64 `json:"body,omitzero"`       // bytes of content, declared or received; 2^63-1

	// Tolerate holds the violations that pass. Only members of Tolerable count.
	Tolerate Set `json:"tolerate,omitzero"`
}

// MaxLimit is the largest value of every budget but Body.
const MaxLimit = 1 << 30

// Defaults of Limits.
const (
	DefaultHead      = 8192
	DefaultFields    = 256
	DefaultInterim   = 16
	DefaultChunkLine = 4096
	DefaultMeasure   = 1 << 20
	DefaultBody      = 1<<63 - 1
)

// LimitError is a budget that Check refuses.
type LimitError struct {
	Name  string // of the field of Limits
	Value int64
}

func (e *LimitError) Error() string {
	return "the budget " + e.Name + " is " + itoa(e.Value) + "; it may be 1 to " + itoa(MaxLimit) + ", and 0 means the default"
}

// Check gives the first budget that is out of range, or nil, or the first
// member of Tolerate that cannot be tolerated.
func (l *Limits) Check() error {
	for _, b := range []struct {
		name  string
		value int
	}{
		{"Head", l.Head}, {"Line", l.Line}, {"Fields", l.Fields}, {"Interim", l.Interim},
		{"ChunkLine", l.ChunkLine}, {"Trailer", l.Trailer}, {"Measure", l.Measure},
	} {
		if b.value < 0 || b.value > MaxLimit {
			return &LimitError{b.name, int64(b.value)}
		}
	}
	if l.Body < 0 {
		return &LimitError{"Body", l.Body}
	}
	for _, r := range Reasons() {
		if l.Tolerate.Has(r) && !r.Tolerable() {
			return &IntolerableError{r}
		}
	}
	return nil
}

// IntolerableError is a member of Limits.Tolerate that changes where a message
// ends, or could.
type IntolerableError struct{ Reason Reason }

func (e *IntolerableError) Error() string {
	return e.Reason.String() + " cannot be tolerated; `why520 explain` marks those that can"
}

// WithDefaults gives l with every zero replaced.
func (l Limits) WithDefaults() Limits {
	l.setDefaults()
	return l
}

func (l *Limits) setDefaults() {
	l.Head = or(l.Head, DefaultHead)
	l.Line = or(l.Line, l.Head)
	l.Fields = or(l.Fields, DefaultFields)
	l.Interim = or(l.Interim, DefaultInterim)
	l.ChunkLine = or(l.ChunkLine, DefaultChunkLine)
	l.Trailer = or(l.Trailer, l.Head)
	l.Measure = max(or(l.Measure, DefaultMeasure), l.Head)
	if l.Body == 0 {
		l.Body = DefaultBody
	}
	for i := range l.Tolerate {
		l.Tolerate[i] &= Tolerable[i]
	}
}

func or(v, byDefault int) int {
	if v == 0 {
		return byDefault
	}
	return v
}

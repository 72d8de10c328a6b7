package wire

// A Reason names one way in which an exchange fails, or one thing worth a
// note. It is an error: comparable with == and errors.Is, one byte, free to
// return. A reason is named for what the origin did.
//
// Package wire declares what bytes and the end of a stream can show (below
// 128); package validator declares the rest with Declare. Both are of this one
// type, so that a Reason has one identity wherever it is met.
type Reason uint8

// ReasonInfo is what there is to know of a Reason, apart from what to do
// about it.
type ReasonInfo struct {
	Token   string // as users, metrics and files see it: "head-too-large"; never changes
	Meaning string // one sentence, lower case, without a full stop
	RFC     string // "RFC 9112 section 6.3", or empty where no RFC decides it
	Note    bool   // worth knowing, but no fault
}

// String gives the token.
func (r Reason) String() string {
	if t := reasons[r].Token; t != "" {
		return t
	}
	return "undeclared-reason"
}

// Error gives the token and the meaning.
func (r Reason) Error() string { return r.String() + ": " + reasons[r].Meaning }

// Info gives what is known of r; the zero ReasonInfo where r is not declared.
func (r Reason) Info() ReasonInfo { return reasons[r] }

// Tolerable reports whether a policy may let r pass. Whatever changes where a
// message ends is never tolerable.
func (r Reason) Tolerable() bool { return Tolerable.Has(r) }

// MarshalText gives the token, so that stored evidence outlives the numbers.
func (r Reason) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText takes a token. The error, of type UnknownReasonError, quotes one that is not declared.
func (r *Reason) UnmarshalText(text []byte) error {
	found, ok := ReasonByToken(string(text))
	if !ok {
		return UnknownReasonError(text)
	}
	*r = found
	return nil
}

// UnknownReasonError is a token that names no declared reason.
type UnknownReasonError string

func (e UnknownReasonError) Error() string {
	return "no reason is called " + quote(string(e)) + "; `why520 explain` lists them"
}

// ReasonByToken finds a declared reason by its token, OK among them.
func ReasonByToken(token string) (Reason, bool) {
	if token == "" {
		return OK, false
	}
	for i := range reasons {
		if reasons[i].Token == token {
			return Reason(i), true
		}
	}
	return OK, false
}

// Reasons gives every declared reason in the order of declaration, OK and
// ErrIncomplete left out.
func Reasons() []Reason {
	var all []Reason
	for i := int(ErrIncomplete) + 1; i < len(reasons); i++ {
		if reasons[i].Token != "" {
			all = append(all, Reason(i))
		}
	}
	return all
}

// Declare adds a reason of another package, from 128 on. It is for init
// functions; a number below 128, an empty token or one that is taken panics.
func Declare(r Reason, info ReasonInfo) {
	if r < 128 {
		panic("wire: reasons below 128 are wire's own")
	}
	if _, taken := ReasonByToken(info.Token); taken || info.Token == "" || reasons[r].Token != "" {
		panic("wire: the reason " + quote(info.Token) + " is declared already, or has no token")
	}
	reasons[r] = info
}

// A Set is a set of reasons. The zero Set is empty.
type Set [4]uint64

// SetOf gives the set of the reasons named.
func SetOf(rs ...Reason) Set {
	var s Set
	for _, r := range rs {
		s[r>>6] |= 1 << (r & 63)
	}
	return s
}

// Has reports whether r is in s.
func (s Set) Has(r Reason) bool { return s[r>>6]&(1<<(r&63)) != 0 }

// With gives s and r.
func (s Set) With(r Reason) Set {
	s[r>>6] |= 1 << (r & 63)
	return s
}

// Tolerable is the set of all reasons that Limits.Tolerate may hold.
var Tolerable = SetOf(BareLF, FieldObsFold, FieldSpaceBeforeColon, FieldLeadingSpace,
	BlankLineBeforeStatusLine, StatusLineWhitespace, ReasonPhraseByte, FieldControlByte,
	ContentLengthRepeated, TransferCodingInHTTP10, NoHeaderFields)

// MarshalText gives the tokens of s, separated by commas.
func (s Set) MarshalText() ([]byte, error) {
	var text []byte
	for _, r := range Reasons() {
		if s.Has(r) {
			if len(text) > 0 {
				text = append(text, ',')
			}
			text = append(text, r.String()...)
		}
	}
	return text, nil
}

// UnmarshalText takes tokens separated by commas; none is the empty Set. The
// error, of type UnknownReasonError, quotes one that is not declared.
func (s *Set) UnmarshalText(text []byte) error {
	var found Set
	for from := 0; from < len(text); {
		to := from
		for to < len(text) && text[to] != ',' {
			to++
		}
		var r Reason
		if err := r.UnmarshalText(text[from:to]); err != nil {
			return err
		}
		found = found.With(r)
		from = to + 1
	}
	*s = found
	return nil
}

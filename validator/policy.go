package validator

import "why520/wire"

// A Policy says what is refused. The zero Policy is Strict.
type Policy struct {
	Limits   wire.Limits `json:"limits"`
	Insecure bool        `json:"insecure,omitempty"` // what is wrong with a certificate is a note
}

// Strict refuses every violation. It is the zero Policy.
func Strict() Policy { return Policy{} }

// Report repairs and reports what can be tolerated, refuses what cannot, and
// lets heads have 128 KiB: for a proxy's first day.
func Report() Policy {
	return Policy{Limits: wire.Limits{Head: 128 << 10, Tolerate: wire.Tolerable}}
}

// Like is Strict with the budgets of an edge.
func Like(e Edge) Policy { return Policy{Limits: e.Limits()} }

package validator_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/validator"
	"why520/validator/origintest"
	"why520/wire"
)

// connVerdicts collects what a Guard's OnVerdict is told.
type connVerdicts struct{ verdicts }

func (v *connVerdicts) add(_ *validator.Conn, e *validator.Evidence, verdict *validator.Verdict) {
	v.verdicts.add(nil, e, verdict)
}

// guard gives a Guard that asks o as its Prober would.
func guard(t *testing.T, o *origintest.Origin) *validator.Guard {
	t.Helper()
	tr := asker(t, o)
	return &validator.Guard{Policy: tr.Policy, Deadlines: tr.Deadlines, TLSClientConfig: tr.TLSClientConfig, Connect: tr.DialContext}
}

// aroundHTTP gives net/http's transport with g inside.
func aroundHTTP(t *testing.T, g *validator.Guard) http.RoundTripper {
	t.Helper()
	inner := &http.Transport{DisableCompression: true}
	t.Cleanup(inner.CloseIdleConnections)
	return g.Around(inner)
}

// elsewhere has what net/http makes of an origin through a Conn, beside
// otherwise.
var elsewhere = map[wire.Reason][]wire.Reason{
	// What comes on a connection before the request does is an answer to nothing.
	validator.ResetBeforeRequest: {validator.ClosedBeforeRequest},
	// net/http sees the end of an idle connection first, and asks again.
	validator.ReusedConnectionWasDead: {wire.OK},
}

// What an origin does has the same reason through http.Transport and a Conn as a
// Prober finds.
func TestConnFindsTheReasonOfEveryOrigin(t *testing.T) {
	for _, f := range origintest.Faults() {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			o := origintest.Start(t, f.Name)
			g, seen := guard(t, o), &connVerdicts{}
			g.OnVerdict, g.Recorder = seen.add, &validator.Recorder{}
			err := exchange(t, aroundHTTP(t, g), o)
			want := append([]wire.Reason{f.Reason}, slices.Concat(otherwise[f.Reason], elsewhere[f.Reason])...)
			var failed *validator.Error
			if err == nil {
				assert.Contains(t, want, wire.OK, "%v", seen.reasons())
				for _, n := range f.Notes {
					if n == wire.BytesOnIdleConnection { // its reader is told, between two exchanges
						continue
					}
					assert.Contains(t, seen.notes(), n)
				}
				return
			}
			require.ErrorAs(t, err, &failed, "verdicts: %v", seen.reasons())
			e := failed.Evidence
			assert.Contains(t, want, failed.Verdict.Reason, "%v; phase %s, end %s, sent %d, acked %d, received %d: %s", err, e.Phase, e.End, e.Sent, e.Acked, e.Received, e.Error)
			assert.Contains(t, seen.reasons(), failed.Verdict.Reason)
			assert.Same(t, e, g.Recorder.Lookup(e.ID))
		})
	}
}

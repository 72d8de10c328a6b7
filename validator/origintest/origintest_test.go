package origintest_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/validator"
	"why520/validator/origintest"
	"why520/wire"
)

func TestMain(m *testing.M) { os.Exit(origintest.Run(m)) }

// probe asks o as it wants to be asked; it gives the last verdict, and the notes
// of all.
func probe(t *testing.T, o *origintest.Origin) (*validator.Evidence, validator.Verdict, wire.Set) {
	t.Helper()
	var (
		last  *validator.Evidence
		v     validator.Verdict
		notes wire.Set
	)
	for e, err := range o.Prober().ProbeAll(t.Context(), o.Target()) {
		require.NoError(t, err)
		last, v = e, validator.Judge(e, nil)
		for _, n := range v.Notes {
			notes = notes.With(n.Reason)
		}
	}
	require.NotNil(t, last)
	return last, v, notes
}

func TestEveryOriginHasItsVerdict(t *testing.T) {
	require.NotEmpty(t, origintest.Faults())
	for _, f := range origintest.Faults() {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			o := origintest.Start(t, f.Name)
			e, v, notes := probe(t, o)
			assert.Equal(t, f.Reason, v.Reason, "%s; phase %s, end %s, sent %d, acked %d, received %d: %s", v.Message, e.Phase, e.End, e.Sent, e.Acked, e.Received, e.Error)
			for _, n := range f.Notes {
				assert.True(t, notes.Has(n), "note %s", n)
			}
			assert.Equal(t, f.Reason == wire.OK, v.OK())
		})
	}
}

// withoutOrigin has the reasons that no origin over loopback can show, and why.
var withoutOrigin = map[wire.Reason]string{
	validator.InjectedReset:         "known from a capture",
	validator.ResponseLostInReset:   "known from a capture",
	validator.RequestNotDrained:     "known from a capture",
	validator.ClientReset:           "of captures",
	validator.ClientClosed:          "of captures",
	validator.FlowStillOpen:         "of captures",
	validator.FlowEncrypted:         "of captures",
	validator.FlowJoinedInTheMiddle: "of captures",
	validator.CaptureIncomplete:     "of captures",
}

func TestEveryReasonHasAnOrigin(t *testing.T) {
	var shown wire.Set
	for _, f := range origintest.Faults() {
		shown = shown.With(f.Reason)
		for _, n := range f.Notes {
			shown = shown.With(n)
		}
		token, _, _ := strings.Cut(f.Name, "/")
		if r, ok := wire.ReasonByToken(token); assert.True(t, ok, f.Name) && f.Reason != wire.OK {
			assert.Equal(t, r, f.Reason, f.Name)
		}
	}
	for _, r := range wire.Reasons() {
		_, excused := withoutOrigin[r]
		assert.NotEqual(t, excused, shown.Has(r), "%s: has an origin, or a reason why not", r)
	}
}

// A hostile origin can neither hang a probe nor make it hold more than its
// budgets and a constant.
func TestHostileOriginsAreEndedWithinDeadlinesAndMemory(t *testing.T) {
	for _, f := range origintest.Hostile() {
		t.Run(f.Name, func(t *testing.T) {
			o := origintest.Start(t, f.Name)
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			e, v, _ := probe(t, o)
			runtime.GC()
			runtime.ReadMemStats(&after)
			assert.Equal(t, f.Reason, v.Reason, v.Message)
			kept := len(e.Response.Raw)
			assert.Less(t, kept, 17*8192+1024, "bytes of the response that are kept")
			const constant = 1 << 20
			assert.Less(t, int64(after.HeapAlloc)-int64(before.HeapAlloc), int64(constant))
		})
	}
}

func TestCancelledProbeEndsAtOnce(t *testing.T) {
	o := origintest.Start(t, "first-byte-timeout")
	ctx, cancel := context.WithCancelCause(t.Context())
	p := o.Prober()
	p.Deadlines = validator.Deadlines{}
	p.Trace = func(s validator.Step) {
		if s.Kind == validator.StepSent {
			cancel(context.Canceled)
		}
	}
	_, err := p.Probe(ctx, o.Target())
	var local *validator.LocalError
	require.ErrorAs(t, err, &local)
	assert.ErrorIs(t, err, context.Canceled)
}

func TestUnknownOrigin(t *testing.T) {
	_, ok := origintest.Lookup("none such")
	assert.False(t, ok)
}

func TestTheAuthorityAsAFileIsTrustedAlike(t *testing.T) {
	o := origintest.Start(t, "ok/tls")
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(origintest.AuthorityPEM()))
	c, err := tls.Dial("tcp", o.Addr(), &tls.Config{RootCAs: roots, ServerName: o.Target().SNI})
	require.NoError(t, err)
	assert.NoError(t, c.Close())
}

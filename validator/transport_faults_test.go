package validator_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/validator"
	"why520/validator/origintest"
	"why520/wire"
)

// verdicts collects what OnVerdict is told.
type verdicts struct {
	mu       sync.Mutex
	evidence []*validator.Evidence
	all      []*validator.Verdict
}

func (v *verdicts) add(_ *http.Request, e *validator.Evidence, verdict *validator.Verdict) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.evidence = append(v.evidence, e.Clone())
	v.all = append(v.all, verdict.Clone())
}

// list gives them so far.
func (v *verdicts) list() []*validator.Verdict {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append([]*validator.Verdict(nil), v.all...)
}

// reasons gives those of the verdicts so far.
func (v *verdicts) reasons() (all []wire.Reason) {
	for _, verdict := range v.list() {
		all = append(all, verdict.Reason)
	}
	return all
}

// notes gives those of the verdicts so far.
func (v *verdicts) notes() (all []wire.Reason) {
	for _, verdict := range v.list() {
		for _, n := range verdict.Notes {
			all = append(all, n.Reason)
		}
	}
	return all
}

// last gives the evidence and the verdict of the last exchange.
func (v *verdicts) last(t *testing.T) (*validator.Evidence, *validator.Verdict) {
	t.Helper()
	v.mu.Lock()
	defer v.mu.Unlock()
	require.NotEmpty(t, v.all)
	return v.evidence[len(v.all)-1], v.all[len(v.all)-1]
}

// asker gives a Transport that asks o as its Prober would.
func asker(t *testing.T, o *origintest.Origin) *validator.Transport {
	t.Helper()
	p := o.Prober()
	d := p.Deadlines
	for field, byDefault := range map[*time.Duration]time.Duration{
		&d.Connect: 5 * time.Second, &d.TLS: 5 * time.Second, &d.Write: 10 * time.Second, &d.FirstByte: 15 * time.Second,
		&d.Head: 20 * time.Second, &d.Idle: 10 * time.Second, &d.Total: time.Minute,
	} {
		if *field == 0 {
			*field = byDefault
		}
	}
	config := p.TLS.Clone()
	config.ServerName = o.Target().SNI
	tr := &validator.Transport{Policy: &p.Policy, Deadlines: d, TLSClientConfig: config}
	dialer := &net.Dialer{Resolver: p.Resolver}
	tr.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dialer.DialContext(ctx, network, address)
		if err == nil && p.Connected != nil {
			err = p.Connected(ctx, c)
		}
		return c, err
	}
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}

// zeros is content of so many bytes.
type zeros struct{ io.Reader }

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// request gives the request that o.Target makes.
func request(t *testing.T, o *origintest.Origin) *http.Request {
	t.Helper()
	target := o.Target()
	var content io.Reader
	method := target.Method
	if target.Upload > 0 {
		content = io.LimitReader(zeros{}, target.Upload)
		method = http.MethodPost
	}
	r, err := http.NewRequestWithContext(t.Context(), method, target.URL, content)
	require.NoError(t, err)
	r.Host = target.Host
	r.ContentLength = target.Upload
	if target.Upgrade != "" {
		r.Header.Set("Connection", "Upgrade")
		r.Header.Set("Upgrade", target.Upgrade)
	}
	return r
}

// exchange makes the requests of o.Target and reads what comes; it gives the last
// error.
func exchange(t *testing.T, tr http.RoundTripper, o *origintest.Origin) error {
	t.Helper()
	var last error
	for i := range max(o.Target().Requests, 1) {
		if i > 0 {
			time.Sleep(min(o.Target().Idle, 2*time.Second))
		}
		resp, err := tr.RoundTrip(request(t, o))
		if last = err; err != nil {
			continue
		}
		if resp.StatusCode != http.StatusSwitchingProtocols {
			_, last = io.Copy(io.Discard, resp.Body)
		}
		assert.NoError(t, resp.Body.Close())
	}
	return last
}

// otherwise has the reasons that Transport has in the place of a Prober's, and
// why.
var otherwise = map[wire.Reason][]wire.Reason{
	// A proxy does not measure heads that are over their budgets.
	wire.HeadEndless: {wire.HeadTooLarge, wire.TooManyFields},
	// What an origin does as soon as it accepted may come before the request or
	// after it: a proxy does not wait to see.
	validator.ResetBeforeRequest:  {validator.ResetBeforeRequest, wire.ResetAfterRequest, validator.ResetDuringUpload},
	validator.ClosedBeforeRequest: {validator.ClosedBeforeRequest, wire.ClosedWithoutAByte, wire.ResetAfterRequest, validator.ResetBeforeRequest},
	wire.ResetAfterRequest:        {wire.ResetAfterRequest, validator.ResetBeforeRequest},
	wire.ClosedWithoutAByte:       {wire.ClosedWithoutAByte, validator.ClosedBeforeRequest},
	// A proxy does not decode.
	validator.ContentCodingCorrupt: {wire.OK},
	// The request is sent again.
	validator.ReusedConnectionWasDead: {wire.OK},
}

// What an origin does has the same reason through a Transport as a Prober finds,
// be the content held or streamed.
func TestTransportFindsTheReasonOfEveryOrigin(t *testing.T) {
	for name, hold := range map[string]int64{"streamed": 0, "held": 64 << 10} {
		t.Run(name, func(t *testing.T) {
			for _, f := range origintest.Faults() {
				t.Run(f.Name, func(t *testing.T) {
					t.Parallel()
					o := origintest.Start(t, f.Name)
					tr, seen := asker(t, o), &verdicts{}
					tr.HoldContent, tr.OnVerdict, tr.Recorder = hold, seen.add, &validator.Recorder{}
					err := exchange(t, tr, o)
					e, v := seen.last(t)
					want := []wire.Reason{f.Reason}
					if also := otherwise[f.Reason]; also != nil {
						want = also
					}
					assert.Contains(t, want, v.Reason, "%s; phase %s, end %s, sent %d, acked %d, received %d: %s", v.Message, e.Phase, e.End, e.Sent, e.Acked, e.Received, e.Error)
					assert.Len(t, seen.list(), max(o.Target().Requests, 1), "each exchange once")
					if v.Reason == wire.OK {
						require.NoError(t, err)
						assert.Empty(t, tr.Recorder.All())
						for _, n := range f.Notes {
							assert.True(t, noted(seen, n), "note %s of %v", n, v.Notes)
						}
						return
					}
					var failed *validator.Error
					require.ErrorAs(t, err, &failed)
					assert.Equal(t, v, failed.Verdict)
					assert.ErrorIs(t, err, v.Reason)
					assert.Same(t, failed.Evidence, tr.Recorder.Lookup(e.ID))
				})
			}
		})
	}
}

// noted reports whether one of the verdicts has the note.
func noted(seen *verdicts, r wire.Reason) bool { return slices.Contains(seen.notes(), r) }

// A fault of the content is never the end of it.
func TestContentThatIsCutDoesNotEndInOrder(t *testing.T) {
	o := origintest.Start(t, "body-short")
	tr := asker(t, o)
	resp, err := tr.RoundTrip(request(t, o))
	require.NoError(t, err)
	defer resp.Body.Close()
	_, err = io.ReadAll(resp.Body)
	assert.ErrorIs(t, err, wire.BodyShort)
	assert.NotErrorIs(t, err, io.EOF)
	_, err = resp.Body.Read(make([]byte, 1))
	assert.ErrorIs(t, err, wire.BodyShort, "and it stays so")
}

// The evidence of a failure is what a Prober would have, but for its own request.
func TestTransportHasTheEvidenceThatAProberHas(t *testing.T) {
	for _, name := range []string{
		"bare-cr", "field-nul", "head-cut", "length-and-transfer-encoding", "chunk-size-invalid", "chunk-bare-lf", "chunked-cut",
		"chunk-data-overrun", "trailer-invalid", "body-short", "no-header-fields", "field-obs-fold", "other-protocol-banner/redis",
	} {
		t.Run(name, func(t *testing.T) {
			o := origintest.Start(t, name)
			want, err := o.Prober().Probe(t.Context(), o.Target())
			require.NoError(t, err)
			var failed *validator.Error
			require.True(t, errors.As(exchange(t, asker(t, o), o), &failed))
			got := failed.Evidence
			assert.Equal(t, want.Response.Reason, got.Response.Reason)
			assert.Equal(t, want.Response.Offset, got.Response.Offset)
			assert.Equal(t, want.Response.Part, got.Response.Part)
			assert.Equal(t, want.Response.Found, got.Response.Found)
			assert.Equal(t, string(want.Response.Raw), string(got.Response.Raw))
			assert.Equal(t, want.Response.Around, got.Response.Around)
			assert.Equal(t, want.Response.Head, got.Response.Head)
		})
	}
}

func TestTransportTellsWhatIsWrongWithACertificate(t *testing.T) {
	o := origintest.Start(t, "tls-certificate-untrusted")
	tr := asker(t, o)
	err := exchange(t, tr, o)
	assert.ErrorIs(t, err, validator.TLSCertificateUntrusted)
	var failed *validator.Error
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, 526, failed.Verdict.EdgeStatus)

	tr = asker(t, o)
	tr.TLSClientConfig.InsecureSkipVerify = true
	assert.NotErrorIs(t, exchange(t, tr, o), validator.TLSCertificateUntrusted)
}

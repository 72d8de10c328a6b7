package why520_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/validator"
	"why520/validator/origintest"
	"why520/wire"
)

// alike has the reasons that a proxy may find in the place of a Prober's, and why.
var alike = map[wire.Reason][]wire.Reason{
	// A proxy does not measure heads that are over their budgets.
	wire.HeadEndless: {wire.HeadTooLarge, wire.TooManyFields},
	// What an origin does as soon as it accepted may come before the request or
	// after it: a proxy does not wait to see.
	validator.ResetBeforeRequest:  {validator.ResetBeforeRequest, wire.ResetAfterRequest, validator.ResetDuringUpload},
	validator.ClosedBeforeRequest: {validator.ClosedBeforeRequest, wire.ClosedWithoutAByte, wire.ResetAfterRequest, validator.ResetBeforeRequest},
	wire.ResetAfterRequest:        {wire.ResetAfterRequest, validator.ResetBeforeRequest},
	wire.ClosedWithoutAByte:       {wire.ClosedWithoutAByte, validator.ClosedBeforeRequest},
	// The origin is deaf a moment after it accepted; a Prober waits for that.
	validator.RequestUnacknowledged: {validator.RequestUnacknowledged, wire.FirstByteTimeout},
	// A proxy does not decode.
	validator.ContentCodingCorrupt: {wire.OK},
	// The request is sent again.
	validator.ReusedConnectionWasDead: {wire.OK},
}

// A way is how the proxy is set up in front of an origin.
type way struct {
	report bool
	hold   bool
}

var ways = []way{{false, true}, {false, false}, {true, true}, {true, false}}

func (w way) String() string {
	s := "strict"
	if w.report {
		s = "report"
	}
	if w.hold {
		return s + ", held"
	}
	return s + ", streamed"
}

// transport gives the options for o.
func (w way) transport(o *origintest.Origin, roots string) string {
	p := o.Prober()
	var b strings.Builder
	option := func(format string, args ...any) { fmt.Fprintf(&b, "\t\t\t"+format+"\n", args...) }
	if option("policy strict"); w.report {
		b.Reset()
		option("policy report")
	}
	if w.hold {
		option("hold_content 64KiB")
	}
	l := p.Policy.Limits
	for _, v := range []struct {
		name  string
		value int64
	}{
		{"head", int64(l.Head)}, {"line", int64(l.Line)}, {"fields", int64(l.Fields)}, {"interim", int64(l.Interim)},
		{"chunk_line", int64(l.ChunkLine)}, {"trailer", int64(l.Trailer)}, {"body", l.Body},
	} {
		if v.value != 0 {
			option("%s %d", v.name, v.value)
		}
	}
	d := p.Deadlines
	for _, v := range []struct {
		name      string
		value, or time.Duration
	}{
		{"dial_timeout", d.Connect, 5 * time.Second}, {"write_timeout", d.Write, 10 * time.Second},
		{"first_byte_timeout", d.FirstByte, 15 * time.Second}, {"response_header_timeout", d.Head, 20 * time.Second},
		{"read_timeout", d.Idle, 10 * time.Second}, {"total_timeout", d.Total, time.Minute},
	} {
		if v.value == 0 {
			v.value = v.or
		}
		option("%s %s", v.name, v.value)
	}
	if strings.HasPrefix(o.URL(), "https:") {
		option("tls_server_name %s", o.Target().SNI)
		option("tls_trust_pool file %s", roots)
		if d.TLS != 0 {
			option("tls_timeout %s", d.TLS)
		}
	}
	if o.Prober().Resolver != nil {
		option("resolvers %s", o.Addr())
	}
	return b.String()
}

// expected gives the reasons that the proxy may find.
func (w way) expected(t *testing.T, o *origintest.Origin) []wire.Reason {
	t.Helper()
	reason := o.Fault.Reason
	if w.report {
		p := o.Prober()
		p.Policy.Limits.Tolerate = wire.Tolerable
		if p.Policy.Limits.Head == 0 {
			p.Policy.Limits.Head = validator.Report().Limits.Head
		}
		for e, err := range p.ProbeAll(t.Context(), o.Target()) {
			require.NoError(t, err)
			reason = validator.Judge(e, nil).Reason
		}
	}
	if also := alike[reason]; also != nil {
		return also
	}
	return []wire.Reason{reason}
}

// ask makes the request of o.Target through the proxy.
func ask(t *testing.T, p *process, o *origintest.Origin, path string) (*http.Response, string, error) {
	t.Helper()
	target := o.Target()
	method, content := target.Method, io.Reader(nil)
	if target.Upload > 0 {
		method, content = http.MethodPost, io.LimitReader(zeros{}, target.Upload)
	}
	r := p.request(t, method, path, content)
	r.ContentLength = target.Upload
	if target.Upgrade != "" {
		r.Header.Set("Connection", "Upgrade")
		r.Header.Set("Upgrade", target.Upgrade)
	}
	return p.do(t, r)
}

// zeros is content without end.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

var (
	statusError   = regexp.MustCompile(`; error=([a-z_]+)`)
	statusDetails = regexp.MustCompile(`; details="([a-z0-9-]+)"`)
)

// Each origin of the lab that fails is answered for, or its content is cut; none
// passes for a success.
func TestEveryOriginThroughCaddy(t *testing.T) {
	roots := filepath.Join(t.TempDir(), "roots.pem")
	require.NoError(t, os.WriteFile(roots, origintest.AuthorityPEM(), 0o600))
	var origins []*origintest.Origin
	var site strings.Builder
	for _, f := range slices.Concat(origintest.Faults(), origintest.Hostile()) {
		if why := f.Skip(); why != "" {
			t.Logf("%s: left out: %s", f.Name, why)
			continue
		}
		o, err := origintest.New(f, "")
		require.NoError(t, err, f.Name)
		t.Cleanup(o.Close)
		for i, w := range ways {
			upstream := o.Addr()
			if u, err := url.Parse(o.URL()); err == nil && o.Prober().Resolver != nil {
				upstream = u.Host + ":80"
			}
			fmt.Fprintf(&site, "\thandle /%d/%d {\n\t\twhy520\n\t\treverse_proxy %s {\n\t\t\ttransport why520 {\n%s\t\t\t}\n\t\t}\n\t}\n", len(origins), i, upstream, w.transport(o, roots))
		}
		origins = append(origins, o)
	}
	require.NotEmpty(t, origins)
	p := start(t, "", site.String())
	failed := 0
	for n, o := range origins {
		if o.Fault.Reason != wire.OK {
			failed++
		}
		t.Run(o.Fault.Name, func(t *testing.T) {
			t.Parallel()
			for i, w := range ways {
				t.Run(w.String(), func(t *testing.T) {
					t.Parallel()
					want := w.expected(t, o)
					for k := range max(o.Target().Requests, 1) {
						if k > 0 {
							time.Sleep(min(o.Target().Idle, time.Second)) // the origin's own time
						}
						resp, content, err := ask(t, p, o, fmt.Sprintf("/%d/%d", n, i))
						if k == max(o.Target().Requests, 1)-1 {
							w.check(t, o, want, resp, content, err)
						}
					}
				})
			}
		})
	}
	assert.Greater(t, failed, 70, "the lab shows most reasons")
}

// check holds the response against the reasons that it may have.
func (w way) check(t *testing.T, o *origintest.Origin, want []wire.Reason, resp *http.Response, content string, err error) {
	t.Helper()
	said := ""
	if resp != nil {
		said = strings.Join(resp.Header["Proxy-Status"], ", ")
	}
	switch {
	case resp == nil: // the client's own upload may meet with the close
		require.NotZero(t, o.Target().Upload, "%v", err)
	case said != "":
		require.NoError(t, err)
		details := statusDetails.FindStringSubmatch(said)
		require.NotNil(t, details, said)
		reason, known := wire.ReasonByToken(details[1])
		require.True(t, known, said)
		assert.Contains(t, want, reason, said)
		names := validator.NamesOf(reason)
		assert.Equal(t, names.EdgeStatus, resp.StatusCode)
		assert.Equal(t, names.ProxyStatus, statusError.FindStringSubmatch(said)[1])
		if resp.Request.Method != http.MethodHead {
			assert.Contains(t, content, reason.String())
		}
		assert.NotContains(t, content, o.Addr())
	case err != nil && strings.Contains(err.Error(), "suspiciously long trailer"):
		assert.Contains(t, want, wire.OK, "net/http's client takes no long trailers, but the reason is another")
	case err != nil:
		assert.NotContains(t, want, wire.OK, "%v", err)
		assert.False(t, w.hold, "content that was held is cut: %v", err)
	default:
		assert.Contains(t, want, wire.OK, "it passes for a success: %d, %q", resp.StatusCode, content)
		if reason := o.Fault.Reason; reason.Tolerable() {
			assert.True(t, w.report)
			assertRepaired(t, o, resp, content)
		}
	}
}

// assertRepaired holds a response against what RFC 9112 has a recipient make of
// the violations that Report tolerates.
func assertRepaired(t *testing.T, o *origintest.Origin, resp *http.Response, content string) {
	t.Helper()
	direct := new(validator.Transport) // its policy is Report
	defer direct.CloseIdleConnections()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, o.URL(), nil)
	require.NoError(t, err)
	want, err := direct.RoundTrip(r)
	require.NoError(t, err)
	defer want.Body.Close()
	wanted, err := io.ReadAll(want.Body)
	require.NoError(t, err)
	assert.Equal(t, want.StatusCode, resp.StatusCode)
	assert.Equal(t, string(wanted), content)
	for name, values := range want.Header {
		assert.Equal(t, strings.TrimSpace(name), name)
		if name != "Server" && name != "Date" && name != "Connection" && name != "Content-Length" {
			assert.Equal(t, values, resp.Header[name], name)
		}
		for _, v := range values {
			assert.False(t, strings.ContainsFunc(v, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }), "%s: %q", name, v)
		}
	}
	assert.Less(t, len(resp.Header["Content-Length"]), 2)
}

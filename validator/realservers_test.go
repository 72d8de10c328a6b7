package validator_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/validator"
	"why520/wire"
)

// Real servers, asked over loopback. What they are and how they are started
// stands in servers_test.go.

func TestRealServersAreOK(t *testing.T) {
	for _, kind := range servers {
		t.Run(kind.name, func(t *testing.T) {
			s := start(t, kind)
			for _, scheme := range []string{"http", "https"} {
				for _, c := range []struct {
					name   string
					target validator.Target
					status int
				}{
					{"a file", validator.Target{URL: s.url(scheme, "/file")}, http.StatusOK},
					{"what is not there", validator.Target{URL: s.url(scheme, "/missing")}, http.StatusNotFound},
					{"HEAD", validator.Target{URL: s.url(scheme, "/file"), Method: "HEAD"}, http.StatusOK},
					{"an upload", validator.Target{URL: s.url(scheme, "/upload"), Upload: 100 << 10}, kind.uploadStatus},
					{"a part", validator.Target{URL: s.url(scheme, "/file"), Fields: []validator.Field{{Name: "Range", Value: "bytes=0-4"}}}, kind.rangeStatus},
				} {
					t.Run(scheme+" "+c.name, func(t *testing.T) {
						e, v := ask(t, s.prober, c.target)
						require.Equal(t, wire.OK, v.Reason, "%s: %s", v.Message, e.Error)
						require.NotNil(t, e.Response.Head)
						assert.Equal(t, c.status, e.Response.Head.Status)
						assert.True(t, e.Response.Body.Complete)
						timed(t, e, scheme)
					})
				}
			}
		})
	}
}

func timed(t *testing.T, e *validator.Evidence, scheme string) {
	t.Helper()
	assert.Positive(t, e.Timing.Connect)
	assert.Positive(t, e.Timing.Wait)
	assert.Positive(t, e.Timing.Total)
	if scheme == "https" {
		assert.Positive(t, e.Timing.TLS)
		assert.NotEmpty(t, e.TLS.Version)
	}
}

func TestRealServersKeepConnectionsAlive(t *testing.T) {
	for _, kind := range servers {
		t.Run(kind.name, func(t *testing.T) {
			s := start(t, kind)
			for _, scheme := range []string{"http", "https"} {
				i := 0
				for e, err := range s.prober.ProbeAll(t.Context(), validator.Target{URL: s.url(scheme, "/file"), Requests: 3}) {
					require.NoError(t, err)
					v := validator.Judge(e, nil)
					assert.Equal(t, wire.OK, v.Reason, "%s: %s", v.Message, e.Error)
					assert.Equal(t, i > 0, e.Reused, "request %d, %s", i, scheme)
					i++
				}
				assert.Equal(t, 3, i, scheme)
			}
		})
	}
}

func TestRealServersSendChunks(t *testing.T) {
	gzip := []validator.Field{{Name: "Accept-Encoding", Value: "gzip"}}
	for _, kind := range servers {
		t.Run(kind.name, func(t *testing.T) {
			s := start(t, kind)
			for _, scheme := range []string{"http", "https"} {
				e, v := ask(t, s.prober, validator.Target{URL: s.url(scheme, "/chunked"), Fields: gzip})
				require.Equal(t, wire.OK, v.Reason, "%s: %s", v.Message, e.Error)
				assert.Equal(t, "chunked", e.Response.Body.Framing)
				assert.Positive(t, e.Response.Body.Bytes)
			}
		})
	}
}

// mismatch is what a port shows that is asked in the other protocol.
type mismatch struct {
	reason wire.Reason
	status int // 0: no answer in HTTP
}

// told says it as the table does.
func (m mismatch) String() string {
	if m.status == 0 {
		return m.reason.String()
	}
	return fmt.Sprintf("%v, status %d", m.reason, m.status)
}

func TestPortsThatAreAskedInTheOtherProtocol(t *testing.T) {
	var table strings.Builder
	for _, kind := range servers {
		t.Run(kind.name, func(t *testing.T) {
			s := start(t, kind)
			seen := func(url string) mismatch {
				e, v := ask(t, s.prober, validator.Target{URL: url})
				m := mismatch{reason: v.Reason}
				if e.Response != nil && e.Response.Head != nil {
					m.status = e.Response.Head.Status
				}
				return m
			}
			inPlaintext := seen("http://" + s.tls + "/file")
			withTLS := seen("https://" + s.plain + "/file")
			assert.Equal(t, kind.tlsAskedInPlaintext, inPlaintext, "the port of TLS, asked in plaintext")
			assert.Equal(t, mismatch{reason: validator.TLSPeerSpeaksPlaintext}, withTLS, "the port of plaintext, asked with TLS")
			fmt.Fprintf(&table, "%-8s %-44v %v\n", kind.name, inPlaintext, withTLS)
		})
	}
	t.Logf("\n%-8s %-44s %s\n%s", "server", "TLS port, asked in plaintext", "plaintext port, asked with TLS", table.String())
}

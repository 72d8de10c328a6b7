package edge_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"why520/validator"
	"why520/validator/edge"
	"why520/wire"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"
)

const (
	asBrowser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
	asProgram = "application/json"
	asCurl    = "*/*"
)

// answer gives what is answered to a GET that failed with err.
func answer(a *edge.Answers, accept string, err error) *httptest.ResponseRecorder {
	w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/page", nil)
	r.Header.Set("Accept", accept)
	a.ErrorHandler(w, r, err)
	return w
}

func proxyStatusOf(t *testing.T, h http.Header) member {
	t.Helper()
	all, err := parseProxyStatus(strings.Join(h["Proxy-Status"], ", "))
	require.NoError(t, err, "%q", h["Proxy-Status"])
	return all[len(all)-1]
}

func TestEveryFailureHasAStatusAndItsErrorType(t *testing.T) {
	require.NotEmpty(t, failures())
	for _, reason := range failures() {
		names := validator.NamesOf(reason)
		w := answer(new(edge.Answers), asCurl, sample(reason))
		assert.Equal(t, names.EdgeStatus, w.Code, "%v", reason)
		m := proxyStatusOf(t, w.Header())
		assert.Equal(t, "why520", m.name)
		assert.Equal(t, token(names.ProxyStatus), m.params["error"], "%v", reason)
		assert.Equal(t, reason.String(), m.params["details"])

		gateway := answer(&edge.Answers{Gateway: true}, asCurl, sample(reason))
		want := 502
		if strings.Contains(names.ProxyStatus, "timeout") {
			want = 504
		}
		assert.Equal(t, want, gateway.Code, "%v", reason)
		assert.Equal(t, w.Header()["Proxy-Status"], gateway.Header()["Proxy-Status"])
	}
}

func TestNothingOfTheOriginIsShownToVisitors(t *testing.T) {
	for _, reason := range failures() {
		for _, accept := range []string{asBrowser, asProgram, asCurl} {
			w := answer(new(edge.Answers), accept, sample(reason))
			told := fmt.Sprint(w.Header(), w.Body)
			for _, secret := range secrets {
				assert.NotContains(t, strings.ToLower(told), secret, "%v, %s", reason, accept)
			}
			assert.Contains(t, told, reason.String())
			assert.Contains(t, w.Body.String(), sample(reason).Evidence.ID)
		}
	}
	for _, err := range []error{&validator.LocalError{Doing: "dialling " + secretAddress, Err: errors.New(secretBytes)}, errors.New(secretName)} {
		w := answer(new(edge.Answers), asCurl, err)
		for _, secret := range secrets {
			assert.NotContains(t, fmt.Sprint(w.Header(), w.Body), secret)
		}
	}
}

func TestOperatorsAreShownWhatWasSeen(t *testing.T) {
	a := edge.Answers{Details: func(r *http.Request) bool { return r.URL.Path == "/page" }}
	for _, accept := range []string{asBrowser, asProgram, asCurl} {
		w := answer(&a, accept, sample(wire.FieldNoColon))
		for _, seen := range []string{secretAddress, secretBytes} {
			assert.Contains(t, w.Body.String(), seen, accept)
		}
		assert.False(t, accept != asCurl && strings.Contains(w.Body.String(), "<script>"), accept)
		assert.Contains(t, proxyStatusOf(t, w.Header()).params["details"], "field-no-colon: a field line has no colon")
	}
	w := answer(&a, asBrowser, sample(wire.FieldNoColon))
	assert.Contains(t, w.Body.String(), "<mark>    17  Server: "+secretBytes)
	none := answer(&edge.Answers{Details: everybody}, asCurl, &validator.Error{Verdict: sample(wire.BareLF).Verdict})
	assert.Equal(t, 520, none.Code, "an error without evidence")
}

func TestPagesAreWellFormed(t *testing.T) {
	for _, reason := range failures() {
		for _, a := range []edge.Answers{{}, {Details: everybody, Contact: "<b>help</b>"}} {
			w := answer(&a, asBrowser, sample(reason))
			assert.Equal(t, "text/html; charset=utf-8", w.Header().Get("Content-Type"))
			assertBalanced(t, w.Body.Bytes())
			document, err := html.Parse(bytes.NewReader(w.Body.Bytes()))
			require.NoError(t, err)
			count := map[string]int{}
			for n := range document.Descendants() {
				count[n.Data]++
				for _, x := range n.Attr {
					assert.False(t, x.Key == "style" || strings.HasPrefix(x.Key, "on") || x.Key == "src" || x.Key == "href", "%s has %s", n.Data, x.Key)
				}
			}
			assert.Equal(t, []int{1, 1, 1, 0}, []int{count["h1"], count["main"], count["title"], count["script"]}, "%v", reason)
		}
	}
}

// assertBalanced holds every element of a page to have its end.
func assertBalanced(t *testing.T, page []byte) {
	t.Helper()
	var open []string
	void := map[string]bool{"meta": true, "br": true}
	for z := html.NewTokenizer(bytes.NewReader(page)); ; {
		switch z.Next() {
		case html.ErrorToken:
			assert.Empty(t, open)
			return
		case html.StartTagToken:
			if name, _ := z.TagName(); !void[string(name)] {
				open = append(open, string(name))
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			require.NotEmpty(t, open)
			require.Equal(t, open[len(open)-1], string(name))
			open = open[:len(open)-1]
		}
	}
}

func TestProblemsAreThoseOfRFC9457(t *testing.T) {
	for _, reason := range failures() {
		w := answer(&edge.Answers{Contact: "ops@example.com"}, asProgram, sample(reason))
		assert.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
		var p map[string]any
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &p))
		id := sample(reason).Evidence.ID
		for name, want := range map[string]any{
			"type": "urn:why520:reason:" + reason.String(), "status": float64(w.Code), "instance": "urn:why520:id:" + id,
			"id": id, "reason": reason.String(), "cause": string(validator.NamesOf(reason).Cause), "contact": "ops@example.com", "meaning": reason.Info().Meaning,
		} {
			assert.Equal(t, want, p[name], "%v: %s", reason, name)
		}
		assert.NotEmpty(t, p["title"])
		assert.NotEmpty(t, p["detail"])
		assert.NotContains(t, p, "verdict")
	}
	var p map[string]any
	w := answer(&edge.Answers{Details: everybody, Types: "https://example.com/reasons#"}, asProgram, sample(wire.BareLF))
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &p))
	assert.Equal(t, "https://example.com/reasons#bare-lf", p["type"])
	assert.Equal(t, secretAddress, p["verdict"].(map[string]any)["address"])
}

func TestFailuresAreNeverCached(t *testing.T) {
	for _, accept := range []string{asBrowser, asProgram, asCurl} {
		w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Accept", accept)
		w.Header().Set("Cache-Control", "max-age=600")
		w.Header().Set("Etag", `"x"`)
		w.Header().Set("Content-Encoding", "gzip")
		new(edge.Answers).ErrorHandler(w, r, sample(wire.BareLF))
		h := w.Header()
		assert.Equal(t, "no-store", h.Get("Cache-Control"))
		assert.Equal(t, "Accept", h.Get("Vary"))
		assert.Equal(t, "nosniff", h.Get("X-Content-Type-Options"))
		assert.Equal(t, "noindex", h.Get("X-Robots-Tag"))
		assert.Contains(t, h.Get("Content-Security-Policy"), "default-src 'none'")
		assert.NotContains(t, h.Get("Content-Security-Policy"), "unsafe")
		assert.Equal(t, strconv.Itoa(w.Body.Len()), h.Get("Content-Length"))
		assert.Empty(t, h.Get("Etag")+h.Get("Content-Encoding"))
	}
}

func TestThePolicyAllowsTheStyleOfThePageAlone(t *testing.T) {
	w := answer(new(edge.Answers), asBrowser, sample(wire.BareLF))
	_, rest, _ := strings.Cut(w.Body.String(), "<style>")
	style, _, found := strings.Cut(rest, "</style>")
	require.True(t, found)
	sum := sha256.Sum256([]byte(style))
	assert.Contains(t, w.Header().Get("Content-Security-Policy"), "style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
}

func TestHEADHasTheHeadAlone(t *testing.T) {
	r := httptest.NewRequest(http.MethodHead, "/", nil)
	r.Header.Set("Accept", asBrowser)
	w := httptest.NewRecorder()
	new(edge.Answers).ErrorHandler(w, r, sample(wire.BareLF))
	assert.Equal(t, 520, w.Code)
	assert.Zero(t, w.Body.Len())
	assert.Equal(t, answer(new(edge.Answers), asBrowser, sample(wire.BareLF)).Header().Get("Content-Length"), w.Header().Get("Content-Length"))
}

// timeout is an error of another transport's.
type timeout struct{}

func (timeout) Error() string   { return "too late" }
func (timeout) Timeout() bool   { return true }
func (timeout) Temporary() bool { return true }

func TestErrorsWithoutAVerdict(t *testing.T) {
	var _ net.Error = timeout{}
	for _, c := range []struct {
		err    error
		status int
		error  string
		reason string
	}{
		{&validator.LocalError{Doing: "dialling", Err: errors.New("too many open files")}, 500, "proxy_internal_error", edge.LocalFault},
		{&validator.LocalError{Doing: "waiting", Err: validator.ErrConnectionLimit}, 503, "connection_limit_reached", edge.ConnectionLimit},
		{&validator.ContentError{Err: errors.New("invalid byte in chunk length")}, 400, "http_request_error", edge.RequestFault},
		{fmt.Errorf("wrapped: %w", &validator.ContentError{Err: timeout{}}), 408, "http_request_error", edge.RequestFault},
		{&validator.ContentError{Err: &http.MaxBytesError{Limit: 9}}, 413, "http_request_error", edge.RequestFault},
		{timeout{}, 504, "http_response_timeout", edge.UnknownTimeout},
		{context.DeadlineExceeded, 504, "http_response_timeout", edge.UnknownTimeout},
		{errors.New("something"), 502, "http_protocol_error", edge.Unknown},
		{&validator.Error{Verdict: &validator.Verdict{Reason: wire.OK}}, 500, "proxy_internal_error", "ok"},
		{fmt.Errorf("wrapped: %w", sample(wire.BareLF)), 520, "http_protocol_error", "bare-lf"},
	} {
		w := answer(new(edge.Answers), asCurl, c.err)
		assert.Equal(t, c.status, w.Code, "%v", c.err)
		m := proxyStatusOf(t, w.Header())
		assert.Equal(t, token(c.error), m.params["error"])
		assert.Equal(t, c.reason, m.params["details"])
		assert.Regexp(t, `id      [0-9a-f]{16}\n`, w.Body.String())
		if c.error == "http_request_error" { // RFC 9209 section 2.3 has it for this type
			assert.EqualValues(t, c.status, m.params["status-code"])
		}
	}
}

func TestAClientThatWentIsAnsweredWithoutWords(t *testing.T) {
	var log bytes.Buffer
	a := edge.Answers{Logger: slog.New(slog.NewTextHandler(&log, nil))}
	for _, err := range []error{context.Canceled, &validator.LocalError{Doing: "asking", Err: context.Canceled}} {
		w := answer(&a, asBrowser, err)
		assert.Equal(t, 499, w.Code, "%v", err)
		assert.Zero(t, w.Body.Len())
		assert.Empty(t, w.Header()["Proxy-Status"])
	}
	assert.Zero(t, log.Len())
}

func TestTheLoggerIsToldAll(t *testing.T) {
	var log bytes.Buffer
	a := edge.Answers{Logger: slog.New(slog.NewJSONHandler(&log, nil))}
	failed := sample(wire.FieldNoColon)
	answer(&a, asCurl, failed)
	var line map[string]any
	require.NoError(t, json.Unmarshal(log.Bytes(), &line))
	for name, want := range map[string]any{
		"id": failed.Evidence.ID, "status": 520.0, "reason": "field-no-colon", "cause": "invalid-response", "phase": "head",
		"offset": 28.0, "method": "GET", "path": "/page", "error": failed.Error(),
	} {
		assert.Equal(t, want, line[name], name)
	}
}

func TestTheMethodDecidesWhatIsSaidOfASecondTry(t *testing.T) {
	for _, c := range []struct {
		method string
		reason wire.Reason
		retry  string
		says   string
	}{
		{http.MethodGet, wire.FirstByteTimeout, "30", "Try again"},
		{http.MethodPost, wire.FirstByteTimeout, "", "may have arrived"},
		{http.MethodPost, validator.ConnectionRefused, "", "did not reach"},
		{http.MethodGet, wire.BareLF, "", "hardly help"},
		{http.MethodGet, validator.ReusedConnectionWasDead, "1", "Reload"},
	} {
		w, r := httptest.NewRecorder(), httptest.NewRequest(c.method, "/", nil)
		new(edge.Answers).ErrorHandler(w, r, sample(c.reason))
		assert.Equal(t, c.retry, w.Header().Get("Retry-After"), "%v", c)
		assert.Contains(t, w.Body.String(), c.says)
	}
}

func TestProxyStatusGoesBehindWhatIsThere(t *testing.T) {
	w := httptest.NewRecorder()
	w.Header().Set("Proxy-Status", "inner; error=connection_refused")
	(&edge.Answers{Name: `my "edge"`}).ErrorHandler(w, httptest.NewRequest(http.MethodGet, "/", nil), sample(wire.BareLF))
	all, err := parseProxyStatus(strings.Join(w.Header()["Proxy-Status"], ", "))
	require.NoError(t, err)
	require.Len(t, all, 2)
	assert.Equal(t, "inner", all[0].name)
	assert.Equal(t, `my "edge"`, all[1].name)
}

func TestAnEarlierCopyStandsInForThePage(t *testing.T) {
	have := true
	a := edge.Answers{Stale: func(w http.ResponseWriter, _ *http.Request, v *validator.Verdict) bool {
		assert.Equal(t, wire.BareLF, v.Reason)
		if have {
			w.Header().Set("Age", "60")
			fmt.Fprint(w, "copy")
		}
		return have
	}}
	w := answer(&a, asBrowser, sample(wire.BareLF))
	assert.Equal(t, 200, w.Code)
	assert.Equal(t, "copy", w.Body.String())
	assert.Equal(t, token("http_protocol_error"), proxyStatusOf(t, w.Header()).params["error"])
	have = false
	assert.Equal(t, 520, answer(&a, asBrowser, sample(wire.BareLF)).Code)
}

// A cause that is added needs words of its own.
func TestEveryCauseHasWords(t *testing.T) {
	a := edge.Answers{Page: template.Must(template.New("").Parse(
		`{{.Title}}|{{.What}}|{{.Visitor}}|{{.Owner}}|{{.Label}}|{{.Place}}|{{.Picture.Alternative}}`))}
	unknown := answer(&a, asBrowser, errors.New("something")).Body.String()
	for _, reason := range failures() {
		words := answer(&a, asBrowser, sample(reason)).Body.String()
		assert.NotEqual(t, unknown, words, "%v has no words", validator.NamesOf(reason).Cause)
		for _, part := range strings.Split(words, "|") {
			assert.NotEmpty(t, part, "%v", reason)
		}
	}
}

func TestAPageOfOnesOwn(t *testing.T) {
	a := edge.Answers{Page: template.Must(template.New("").Parse(`<p>{{.Status}} {{.Reason}} {{.ID}}</p>`))}
	failed := sample(wire.BareLF)
	w := answer(&a, asBrowser, failed)
	assert.Equal(t, "<p>520 bare-lf "+failed.Evidence.ID+"</p>", w.Body.String())
	a.Page = template.Must(template.New("").Parse(`<p>{{.Missing}}</p>`))
	w = answer(&a, asBrowser, failed)
	assert.Contains(t, w.Body.String(), "<main>", "a template that fails gives way")
	assert.NotContains(t, w.Header().Get("Content-Security-Policy"), "unsafe")
}

func TestTheTimeIsUTC(t *testing.T) {
	var p struct{ Time time.Time }
	w := answer(new(edge.Answers), asProgram, sample(wire.BareLF))
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &p))
	assert.Equal(t, time.UTC, p.Time.Location())
}

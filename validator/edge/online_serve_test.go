package edge_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/validator"
	"why520/validator/edge"
	"why520/wire"
)

const modified = "Fri, 31 Dec 1999 00:00:00 GMT"

// keeper has a copy of "0123456789" with validators.
func keeper(t *testing.T) *edge.AlwaysOnline {
	a := new(edge.AlwaysOnline)
	passOn(t, a, get("http://example.test/"), 200, "0123456789", "Etag", `"v1"`, "Last-Modified", modified, "Content-Type", "text/plain",
		"Cache-Control", "max-age=0")
	return a
}

func TestRequestsWithConditionsAndRanges(t *testing.T) {
	for name, c := range map[string]struct {
		method  string
		fields  []string
		status  int
		content string
		length  string
	}{
		"GET":                       {"GET", nil, 200, "0123456789", "10"},
		"HEAD":                      {"HEAD", nil, 200, "", "10"},
		"the client has it":         {"GET", f("If-None-Match", `"v0", W/"v1"`), 304, "", ""},
		"the client has it, HEAD":   {"HEAD", f("If-None-Match", `"v1"`), 304, "", ""},
		"the client has another":    {"GET", f("If-None-Match", `"v2"`), 200, "0123456789", "10"},
		"not modified since":        {"GET", f("If-Modified-Since", modified), 304, "", ""},
		"modified since":            {"GET", f("If-Modified-Since", "Thu, 30 Dec 1999 00:00:00 GMT"), 200, "0123456789", "10"},
		"the tag counts":            {"GET", f("If-None-Match", `"v2"`, "If-Modified-Since", modified), 200, "0123456789", "10"},
		"If-Match fails":            {"GET", f("If-Match", `"v2"`), 412, "", ""},
		"a range":                   {"GET", f("Range", "bytes=2-4"), 206, "234", "3"},
		"the end":                   {"GET", f("Range", "bytes=-2"), 206, "89", "2"},
		"a range of this copy":      {"GET", f("Range", "bytes=2-4", "If-Range", `"v1"`), 206, "234", "3"},
		"a range of another":        {"GET", f("Range", "bytes=2-4", "If-Range", `"v2"`), 200, "0123456789", "10"},
		"a range that is not there": {"GET", f("Range", "bytes=20-"), 416, "invalid range: failed to overlap\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			resp := copyFor(t, keeper(t), request(c.method, "http://example.test/", c.fields...))
			require.NotNil(t, resp)
			assert.Equal(t, c.status, resp.StatusCode)
			assert.Equal(t, c.content, contentOf(t, resp))
			assert.Equal(t, c.length, resp.Header.Get("Content-Length"))
			assert.Contains(t, resp.Header.Get("Cache-Status"), "why520; hit; ")
			if c.status < 400 {
				assert.Equal(t, `"v1"`, resp.Header.Get("Etag"))
				assert.NotEmpty(t, resp.Header.Get("Age"))
			}
		})
	}
}

func TestOnlyGETAndHEADAreServed(t *testing.T) {
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "CONNECT"} {
		assert.Nil(t, copyFor(t, keeper(t), request(method, "http://example.test/")), method)
	}
}

func TestRedirectsAndNoContentAreServedAsTheyWere(t *testing.T) {
	var a edge.AlwaysOnline
	passOn(t, &a, get("http://example.test/old"), 301, "moved", "Location", "/new")
	passOn(t, &a, get("http://example.test/none"), 204, "")
	for _, method := range []string{"GET", "HEAD"} {
		resp := copyFor(t, &a, request(method, "http://example.test/old", "Range", "bytes=0-1"))
		require.NotNil(t, resp)
		assert.Equal(t, 301, resp.StatusCode)
		assert.Equal(t, "/new", resp.Header.Get("Location"))
		assert.Equal(t, "5", resp.Header.Get("Content-Length"))
		resp = copyFor(t, &a, request(method, "http://example.test/none"))
		require.NotNil(t, resp)
		assert.Equal(t, 204, resp.StatusCode)
		assert.Empty(t, resp.Header.Get("Content-Length"))
	}
}

func TestOnlyVerdictsThatAreListedAreServed(t *testing.T) {
	refused := &validator.Verdict{Reason: validator.ConnectionRefused, EdgeStatus: 521}
	for _, c := range []struct {
		statuses []int
		verdict  *validator.Verdict
		served   bool
	}{
		{nil, failed, true},
		{nil, refused, false},
		{[]int{520, 521}, refused, true},
		{[]int{521}, failed, false},
		{[]int{}, failed, false},
		{nil, nil, false},
		{[]int{0}, &validator.Verdict{Reason: wire.OK}, false},
	} {
		a := keeper(t)
		a.EdgeStatuses = c.statuses
		assert.Equal(t, c.served, a.Serve(httptest.NewRecorder(), get("http://example.test/"), c.verdict), "%v %v", c.statuses, c.verdict)
	}
}

func TestNamesThatAreNoTokens(t *testing.T) {
	for name, c := range map[string]struct{ member, agent string }{
		"edge-1.example:80": {"edge-1.example:80; hit;", "-"},
		"my edge":           {`"my edge"; hit;`, "-"},
		"a\"b\\c\r\nü":      {`"a\"b\\c???"; hit;`, "-"},
		"1st":               {`"1st"; hit;`, "1st"},
	} {
		a := keeper(t)
		a.Name = name
		resp := copyFor(t, a, get("http://example.test/"))
		require.NotNil(t, resp)
		assert.True(t, strings.HasPrefix(resp.Header.Get("Cache-Status"), c.member), resp.Header.Get("Cache-Status"))
		assert.Equal(t, "110 "+c.agent+` "Response is Stale"`, resp.Header.Get("Warning"))
	}
}

func TestFieldsThatStandInTheHeaderStay(t *testing.T) {
	w := httptest.NewRecorder()
	w.Header().Set("Proxy-Status", "why520; error=connection_terminated")
	w.Header().Set("Content-Type", "text/html")
	require.True(t, keeper(t).Serve(w, get("http://example.test/"), failed))
	assert.Equal(t, "why520; error=connection_terminated", w.Header().Get("Proxy-Status"))
	assert.Equal(t, []string{"text/plain"}, w.Header().Values("Content-Type"))
}

func TestNoTypeIsGuessed(t *testing.T) {
	var a edge.AlwaysOnline
	r := get("http://example.test/")
	resp := respond(r, -1, strings.NewReader("<html>"))
	require.NoError(t, a.Keep(resp))
	contentOf(t, resp)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { a.Serve(w, r, failed) }))
	defer server.Close()
	got, err := server.Client().Get(server.URL)
	require.NoError(t, err)
	defer got.Body.Close()
	assert.Equal(t, "<html>", contentOf(t, got))
	assert.Empty(t, got.Header.Values("Content-Type"))
}

// still runs a test in a bubble, whose clock stands still.
func still(t *testing.T, name string, f func(*testing.T)) {
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

func TestBanner(t *testing.T) {
	const page = "<!doctype html>\n<!-- <body> --><title><body></title><script>'<body>'</script><BODY class=\"a>b\">\n<p>text</p>"
	const html = "text/html; charset=utf-8"
	for name, c := range map[string]struct {
		fields  []string
		content string
		before  string // what stands before the banner; empty: there is none
	}{
		"a page":               {f("Content-Type", html), page, page[:strings.Index(page, "\n<p>")]},
		"no charset":           {f("Content-Type", "TEXT/HTML"), "<body><p>", "<body>"},
		"no body tag":          {f("Content-Type", html), "<p>text", ""},
		"body tag in a script": {f("Content-Type", html), "<script><body>", ""},
		"body tag, unfinished": {f("Content-Type", html), "<body class='", ""},
		"plain text":           {f("Content-Type", "text/plain"), page, ""},
		"no type":              {f("Content-Type", ""), page, ""},
		"UTF-16":               {f("Content-Type", "text/html; charset=utf-16"), page, ""},
		"UTF-16 by its mark":   {f("Content-Type", "text/html"), "\xff\xfe<body>", ""},
		"coded":                {f("Content-Type", html, "Content-Encoding", "gzip"), page, ""},
		"no-transform":         {f("Content-Type", html, "Cache-Control", "no-transform"), page, ""},
	} {
		still(t, name, func(t *testing.T) {
			a := edge.AlwaysOnline{Banner: true}
			passOn(t, &a, get("http://example.test/"), 200, c.content, append(c.fields, "Etag", `"v1"`, "Last-Modified", modified,
				"Expires", modified, "Repr-Digest", "sha-256=:x:")...)
			resp := copyFor(t, &a, get("http://example.test/", "Range", "bytes=0-3", "If-Range", `"other"`))
			require.NotNil(t, resp)
			require.Equal(t, 200, resp.StatusCode)
			got := contentOf(t, resp)
			head := copyFor(t, &a, request("HEAD", "http://example.test/"))
			require.NotNil(t, head)
			assert.Equal(t, resp.Header, head.Header)
			if c.before == "" {
				assert.Equal(t, c.content, got)
				assert.Equal(t, `"v1"`, resp.Header.Get("Etag"))
				return
			}
			require.True(t, strings.HasPrefix(got, c.before+`<div role="status"`), got)
			assert.True(t, strings.HasSuffix(got, "</div>"+c.content[len(c.before):]), got)
			assert.Contains(t, got, time.Now().UTC().Format("2 January 2006, 15:04 UTC"))
			assert.NotContains(t, got, "%!")
			assert.Len(t, got, int(resp.ContentLength))
			for _, name := range []string{"Etag", "Last-Modified", "Expires", "Repr-Digest"} {
				assert.Empty(t, resp.Header.Values(name), name)
			}
			assert.Equal(t, "no-store", resp.Header.Get("Cache-Control"))
			resp = copyFor(t, &a, get("http://example.test/", "If-None-Match", `"v1"`))
			require.NotNil(t, resp)
			assert.Equal(t, 304, resp.StatusCode)
			resp = copyFor(t, &a, get("http://example.test/", "Range", "bytes=0-3"))
			require.NotNil(t, resp)
			assert.Equal(t, 200, resp.StatusCode, "no ranges of a page with a banner")
		})
	}
}

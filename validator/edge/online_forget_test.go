package edge_test

import (
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/validator/edge"
)

func TestWhatRemovesTheCopy(t *testing.T) {
	for name, c := range map[string]struct {
		method  string
		status  int
		fields  []string
		removed []string
	}{
		"POST":                      {"POST", 200, nil, []string{"/a"}},
		"PUT":                       {"PUT", 204, nil, []string{"/a"}},
		"DELETE, redirected":        {"DELETE", 303, nil, []string{"/a"}},
		"a method not known":        {"BREW", 200, nil, []string{"/a"}},
		"POST that failed":          {"POST", 500, nil, nil},
		"PUT that is not allowed":   {"PUT", 405, nil, nil},
		"Location":                  {"POST", 201, f("Location", "b"), []string{"/a", "/b"}},
		"Content-Location":          {"POST", 200, f("Content-Location", "http://EXAMPLE.test/b"), []string{"/a", "/b"}},
		"of another origin":         {"POST", 201, f("Location", "http://other.test/b"), []string{"/a"}},
		"of another scheme":         {"POST", 201, f("Location", "https://example.test/b"), []string{"/a"}},
		"no URI":                    {"POST", 201, f("Location", "http://%zz"), []string{"/a"}},
		"OPTIONS":                   {"OPTIONS", 200, nil, nil},
		"HEAD":                      {"HEAD", 200, nil, nil},
		"HEAD: as long as it was":   {"HEAD", 200, f("Content-Length", "3"), nil},
		"HEAD: longer":              {"HEAD", 200, f("Content-Length", "4"), []string{"/a"}},
		"HEAD: the same tag":        {"HEAD", 200, f("Etag", `"v1"`), nil},
		"HEAD: another tag":         {"HEAD", 200, f("Etag", `"v2"`), []string{"/a"}},
		"HEAD: it was modified":     {"HEAD", 200, f("Last-Modified", "Sat, 01 Jan 2000 00:00:00 GMT"), []string{"/a"}},
		"HEAD: it is not there":     {"HEAD", 404, nil, []string{"/a"}},
		"HEAD: not to be stored":    {"HEAD", 200, f("Cache-Control", "no-store"), []string{"/a"}},
		"HEAD: not allowed":         {"HEAD", 405, f("Content-Length", "9", "Cache-Control", "no-store"), nil},
		"GET: it is not there":      {"GET", 404, nil, []string{"/a"}},
		"GET: it is not there more": {"GET", 410, nil, []string{"/a"}},
		"GET: it may not be shown":  {"GET", 451, nil, []string{"/a"}},
		"GET: an error":             {"GET", 500, f("Cache-Control", "no-store"), nil},
		"GET: forbidden":            {"GET", 403, f("Cache-Control", "no-store"), nil},
		"GET: for one person":       {"GET", 200, f("Cache-Control", "private"), []string{"/a"}},
		"GET: not to be stored":     {"GET", 200, f("Cache-Control", "no-store"), []string{"/a"}},
		"GET: to be asked for":      {"GET", 200, f("Cache-Control", "no-cache"), []string{"/a"}},
		"GET: for no other request": {"GET", 200, f("Vary", "*"), []string{"/a"}},
		"GET: never to be stale":    {"GET", 200, f("Cache-Control", "max-age=0, must-revalidate"), []string{"/a"}},
		"GET: a redirect for one":   {"GET", 302, f("Cache-Control", "private"), []string{"/a"}},
		"GET: a part, not stored":   {"GET", 206, f("Cache-Control", "no-store"), []string{"/a"}},
		"GET: a field for one":      {"GET", 200, f("Cache-Control", `private="X"`), nil},
		"GET: a cookie for one":     {"GET", 200, f("Set-Cookie", "a=b"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			var a edge.AlwaysOnline
			others := []string{"http://other.test/b", "https://example.test/b"}
			for _, uri := range append(others, "http://example.test/a", "http://example.test/b") {
				passOn(t, &a, get(uri), 200, "old", "Vary", "Accept", "Etag", `"v1"`, "Last-Modified", "Fri, 31 Dec 1999 00:00:00 GMT")
			}
			passOn(t, &a, request(c.method, "http://example.test/a"), c.status, "", c.fields...)
			var removed []string
			for _, path := range []string{"/a", "/b"} {
				if copyFor(t, &a, get("http://example.test"+path)) == nil {
					removed = append(removed, path)
				}
			}
			assert.Equal(t, c.removed, removed)
			for _, uri := range others {
				assert.NotNil(t, copyFor(t, &a, get(uri)), uri)
			}
		})
	}
}

func TestA304FreshensOrRemovesTheCopy(t *testing.T) {
	for name, c := range map[string]struct {
		confirms  []string // fields of the 304
		freshened bool
		removed   bool
	}{
		"the same tag":              {f("Etag", `"v1"`), true, false},
		"the same tag, weak":        {f("Etag", `W/"v1"`), true, false},
		"another tag":               {f("Etag", `"v2"`), false, false},
		"the same modification":     {f("Last-Modified", "Fri, 31 Dec 1999 00:00:00 GMT"), true, false},
		"another modification":      {f("Last-Modified", "Fri, 31 Dec 1999 00:00:01 GMT"), false, false},
		"no validator":              {nil, false, false},
		"no longer for this cache":  {f("Etag", `"v1"`, "Cache-Control", "private"), false, true},
		"and a cookie for a client": {f("Etag", `"v1"`, "Set-Cookie", "a=b"), false, false},
		"not to be stored any more": {f("Etag", `"v1"`, "Cache-Control", "no-store"), false, true},
		"to be asked for from now":  {f("Etag", `"v1"`, "Cache-Control", "no-cache"), false, true},
		"of another, for one alone": {f("Etag", `"v2"`, "Cache-Control", "private"), false, true},
		"never to be stale":         {f("Etag", `"v1"`, "Cache-Control", "max-age=0, must-revalidate"), false, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var a edge.AlwaysOnline
				passOn(t, &a, get("http://example.test/"), 200, "content", "Etag", `"v1"`, "Last-Modified", "Fri, 31 Dec 1999 00:00:00 GMT",
					"Content-Type", "text/plain", "X", "old")
				time.Sleep(time.Minute)
				passOn(t, &a, get("http://example.test/", "If-None-Match", `"v1"`), 304, "", append(c.confirms, "X", "new", "Content-Type", "x/y")...)
				time.Sleep(time.Second)
				resp := copyFor(t, &a, get("http://example.test/"))
				if c.removed {
					require.Nil(t, resp)
					return
				}
				require.NotNil(t, resp)
				assert.Equal(t, "content", contentOf(t, resp))
				assert.Equal(t, "text/plain", resp.Header.Get("Content-Type"))
				age, x := "61", "old"
				if c.freshened {
					age, x = "1", "new"
				}
				assert.Equal(t, age, resp.Header.Get("Age"))
				assert.Equal(t, x, resp.Header.Get("X"))
			})
		})
	}
}

// A response to one variant says nothing of the others, save where Vary is *; and what
// a client asks for removes nothing.
func TestACopyIsWithdrawnByTheOriginAlone(t *testing.T) {
	var a edge.AlwaysOnline
	const uri = "http://example.test/"
	fill := func() {
		for _, cookie := range []string{"a=1", "a=2"} {
			passOn(t, &a, get(uri, "Cookie", cookie), 200, cookie, "Vary", "Cookie")
		}
	}
	has := func(cookie string) bool { return copyFor(t, &a, get(uri, "Cookie", cookie)) != nil }
	fill()
	passOn(t, &a, get(uri, "Cookie", "a=1"), 200, "one person's", "Cache-Control", "private")
	assert.False(t, has("a=1"))
	assert.True(t, has("a=2"))
	fill()
	passOn(t, &a, get(uri, "Cookie", "a=1"), 200, "one person's", "Vary", "*")
	assert.False(t, has("a=1"))
	assert.False(t, has("a=2"))
	fill()
	passOn(t, &a, get(uri, "Cookie", "a=1", "Cache-Control", "no-store"), 200, "new")
	passOn(t, &a, get(uri, "Cookie", "a=1", "Authorization", "Basic x"), 200, "new")
	assert.True(t, has("a=1"))
}

// What was on its way when the copy was removed is older than that.
func TestWhatWasRemovedDoesNotComeBack(t *testing.T) {
	for _, remove := range []func(*edge.AlwaysOnline){
		func(a *edge.AlwaysOnline) { passOn(t, a, request("POST", "http://example.test/"), 200, "") },
		func(a *edge.AlwaysOnline) {
			passOn(t, a, get("http://example.test/"), 200, "one person's", "Cache-Control", "private")
		},
		func(a *edge.AlwaysOnline) { passOn(t, a, get("http://example.test/"), 404, "") },
	} {
		var a edge.AlwaysOnline
		under := respond(get("http://example.test/"), -1, strings.NewReader("old"))
		require.NoError(t, a.Keep(under))
		remove(&a)
		_, err := io.ReadAll(under.Body)
		require.NoError(t, err)
		assert.Nil(t, copyFor(t, &a, get("http://example.test/")))
		passOn(t, &a, get("http://example.test/"), 200, "new")
		assert.NotNil(t, copyFor(t, &a, get("http://example.test/")))
	}
}

func TestAnAnswerToHEADFreshensTheCopy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a edge.AlwaysOnline
		passOn(t, &a, get("http://example.test/"), 200, "content", "Etag", `"v1"`)
		time.Sleep(time.Minute)
		passOn(t, &a, request("HEAD", "http://example.test/"), 200, "", "Etag", `"v1"`, "Content-Length", "7", "X", "new")
		resp := copyFor(t, &a, get("http://example.test/"))
		require.NotNil(t, resp)
		assert.Equal(t, "0", resp.Header.Get("Age"))
		assert.Equal(t, "new", resp.Header.Get("X"))
		assert.Equal(t, "content", contentOf(t, resp))
	})
}

func TestManyThatHaveTheCopyCostOneReadASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := new(counting)
		a := edge.AlwaysOnline{Store: store}
		passOn(t, &a, get("http://example.test/"), 200, "content", "Etag", `"v1"`)
		for range 10 {
			for range 100 {
				passOn(t, &a, get("http://example.test/", "If-None-Match", `"v1"`), 304, "", "Etag", `"v1"`)
			}
			time.Sleep(time.Second)
		}
		assert.Equal(t, 10, store.loads)
	})
}

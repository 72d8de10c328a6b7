package edge_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/validator/edge"
)

// A rule is a response to a request, and whether a copy of it is served to another
// request after a time.
type rule struct {
	source   string   // RFC 9111, where no other is named
	sent     []string // fields of the request
	status   int      // 0: 200
	received []string // fields of the response
	after    time.Duration
	again    []string // fields of the request for which the origin fails
	served   bool
}

const (
	minute = time.Minute
	day    = 24 * time.Hour
)

var rules = map[string]rule{
	"nothing said":                   {source: "3", served: true},
	"a status without heuristics":    {source: "3", status: 302},
	"the same, explicitly fresh":     {source: "3", status: 302, received: f("Cache-Control", "max-age=60"), served: true},
	"the same, public":               {source: "3", status: 307, received: f("Cache-Control", "public"), served: true},
	"a permanent redirect":           {source: "3", status: 308, received: f("Location", "/new"), served: true},
	"no content":                     {source: "3", status: 204, served: true},
	"part of the content":            {source: "3.3", status: 206, received: f("Content-Range", "bytes 0-3/9", "Cache-Control", "public")},
	"a status not known":             {source: "3", status: 299, received: f("Cache-Control", "public, max-age=60")},
	"an error that may be stored":    {source: "3", status: 501, received: f("Cache-Control", "public, max-age=60")},
	"no-store":                       {source: "5.2.2.5", received: f("Cache-Control", "no-store")},
	"no-store in capitals":           {source: "5.2", received: f("Cache-Control", "max-age=60, No-Store")},
	"no-store on a second line":      {source: "5.2", received: f("Cache-Control", "max-age=60", "Cache-Control", "no-store")},
	"no-store in a quoted string":    {source: "5.2", received: f("Cache-Control", `x="a, no-store, b"`), served: true},
	"no-store behind rubbish":        {source: "5.2", received: f("Cache-Control", `=;"x=", , no-store`)},
	"no-store of the request":        {source: "5.2.1.5", sent: f("Cache-Control", "no-store")},
	"must-understand":                {source: "5.2.2.3", received: f("Cache-Control", "must-understand, no-store"), served: true},
	"must-understand, not stored":    {source: "5.2.2.3", status: 299, received: f("Cache-Control", "must-understand, no-store, max-age=60")},
	"private":                        {source: "5.2.2.7", received: f("Cache-Control", "private, max-age=60")},
	"private with nothing":           {source: "5.2.2.7", received: f("Cache-Control", `private=""`)},
	"private for a field":            {source: "5.2.2.7", received: f("Cache-Control", `private="X-User"`), served: true},
	"private twice":                  {source: "5.2.2.7", received: f("Cache-Control", `private="X-User", private`)},
	"no-cache":                       {source: "5.2.2.4", received: f("Cache-Control", "no-cache")},
	"no-cache for a field":           {source: "5.2.2.4", received: f("Cache-Control", `no-cache="X-User, X-Other"`), served: true},
	"Authorization":                  {source: "3.5", sent: f("Authorization", "Basic x"), received: f("Cache-Control", "max-age=60")},
	"Authorization, public":          {source: "3.5", sent: f("Authorization", "Basic x"), received: f("Cache-Control", "public"), served: true},
	"Authorization, s-maxage":        {source: "3.5", sent: f("Authorization", "Basic x"), received: f("Cache-Control", "s-maxage=60"), served: true},
	"Authorization, must-revalidate": {source: "3.5", sent: f("Authorization", "Basic x"), received: f("Cache-Control", "must-revalidate, max-age=60"), served: true},
	"Authorization later":            {source: "3.5", again: f("Authorization", "Basic x"), served: true},
	"a cookie set":                   {source: "7.3, stricter", received: f("Set-Cookie", "a=b", "Cache-Control", "max-age=60")},
	"a cookie set, public":           {source: "7.3", received: f("Set-Cookie", "a=b", "Cache-Control", "public"), served: true},
	"a cookie set, excluded":         {source: "5.2.2.4", received: f("Set-Cookie", "a=b", "Cache-Control", `no-cache="set-cookie"`), served: true},
	"a cookie sent":                  {source: "3, stricter", sent: f("Cookie", "a=b")},
	"a cookie sent, fresh":           {source: "3", sent: f("Cookie", "a=b"), received: f("Cache-Control", "max-age=60"), served: true},
	"a cookie sent, it varies":       {source: "4.1", sent: f("Cookie", "a=b"), received: f("Vary", "Cookie"), again: f("Cookie", "a=b"), served: true},
	"a cookie sent, another":         {source: "4.1", sent: f("Cookie", "a=b"), received: f("Vary", "Cookie"), again: f("Cookie", "a=c")},

	"fresh":                             {source: "4.2", received: f("Cache-Control", "max-age=60, must-revalidate"), after: 59 * time.Second, served: true},
	"stale":                             {source: "4.2.4", received: f("Cache-Control", "max-age=60"), after: 61 * time.Second, served: true},
	"stale, must-revalidate":            {source: "5.2.2.2", received: f("Cache-Control", "max-age=60, must-revalidate"), after: 60 * time.Second},
	"stale, proxy-revalidate":           {source: "5.2.2.8", received: f("Cache-Control", "max-age=60, proxy-revalidate"), after: 60 * time.Second},
	"stale, s-maxage":                   {source: "5.2.2.10", received: f("Cache-Control", "s-maxage=60"), after: 60 * time.Second},
	"s-maxage before max-age":           {source: "4.2.1", received: f("Cache-Control", "max-age=1, s-maxage=60"), after: 59 * time.Second, served: true},
	"max-age before Expires":            {source: "5.3", received: f("Cache-Control", "must-revalidate, max-age=0", "Expires", "Sat, 01 Jan 2033 00:00:00 GMT")},
	"Expires":                           {source: "5.3", received: f("Cache-Control", "must-revalidate", "Expires", "Sat, 01 Jan 2000 00:01:00 GMT"), after: 59 * time.Second, served: true},
	"Expires, passed":                   {source: "5.3", received: f("Cache-Control", "must-revalidate", "Expires", "Sat, 01 Jan 2000 00:01:00 GMT"), after: 60 * time.Second},
	"Expires, no date":                  {source: "5.3", received: f("Cache-Control", "must-revalidate", "Expires", "0")},
	"Expires twice":                     {source: "4.2.1", received: f("Cache-Control", "must-revalidate", "Expires", "Sat, 01 Jan 2033 00:00:00 GMT", "Expires", "0")},
	"max-age twice":                     {source: "4.2.1", received: f("Cache-Control", "must-revalidate, max-age=60, max-age=10"), after: 10 * time.Second},
	"max-age is no number":              {source: "4.2.1", received: f("Cache-Control", "must-revalidate, max-age=1.5")},
	"max-age overflows":                 {source: "1.2.2", received: f("Cache-Control", "must-revalidate, max-age=99999999999999999999"), after: day, served: true},
	"max-age is quoted":                 {source: "5.2", received: f("Cache-Control", `must-revalidate, max-age="60"`), after: 59 * time.Second, served: true},
	"a tenth of its age, still":         {source: "4.2.2", received: f("Cache-Control", "must-revalidate", "Last-Modified", "Fri, 31 Dec 1999 23:50:00 GMT"), after: 59 * time.Second, served: true},
	"a tenth of its age, over":          {source: "4.2.2", received: f("Cache-Control", "must-revalidate", "Last-Modified", "Fri, 31 Dec 1999 23:50:00 GMT"), after: 60 * time.Second},
	"it came with an age":               {source: "4.2.3", received: f("Cache-Control", "must-revalidate, max-age=60", "Age", "50"), after: 10 * time.Second},
	"it came with two ages":             {source: "5.1", received: f("Cache-Control", "must-revalidate, max-age=60", "Age", "50 , 1"), after: 10 * time.Second},
	"it came with an old date":          {source: "4.2.3", received: f("Cache-Control", "must-revalidate, max-age=60", "Date", "Fri, 31 Dec 1999 23:59:10 GMT"), after: 10 * time.Second},
	"a date in the future":              {source: "4.2.3", received: f("Cache-Control", "must-revalidate, max-age=60", "Date", "Sat, 01 Jan 2000 05:00:00 GMT"), after: 60 * time.Second},
	"stale-if-error, still":             {source: "RFC 5861 section 4", received: f("Cache-Control", "max-age=60, stale-if-error=120"), after: 3 * minute, served: true},
	"stale-if-error, over":              {source: "RFC 5861 section 4", received: f("Cache-Control", "max-age=60, stale-if-error=120"), after: 3*minute + time.Second},
	"stale-if-error may be long":        {source: "RFC 5861 section 4", received: f("Cache-Control", "max-age=0, stale-if-error=31536000"), after: 300 * day, served: true},
	"stale-if-error with no number":     {source: "RFC 5861 section 4", received: f("Cache-Control", "max-age=0, stale-if-error=x"), after: time.Second},
	"stale-if-error of the client":      {source: "RFC 5861 section 4", after: minute, again: f("Cache-Control", "stale-if-error=30")},
	"stale-if-error is not revalidated": {source: "4.2.4", received: f("Cache-Control", "max-age=60, stale-if-error=120, must-revalidate"), after: minute},
	"MaxStale, still":                   {source: "4.2.4", after: 30 * day, served: true},
	"MaxStale, over":                    {source: "4.2.4", after: 30*day + time.Second},
	"max-stale of the client":           {source: "5.2.1.2", after: minute, again: f("Cache-Control", "max-stale=30")},
	"max-stale without a number":        {source: "5.2.1.2", after: minute, again: f("Cache-Control", "max-stale"), served: true},
	"no-cache of the client":            {source: "5.2.1.4", again: f("Cache-Control", "no-cache")},
	"a browser's reload":                {source: "5.2.1.1", again: f("Cache-Control", "max-age=0"), served: true},
	"only-if-cached":                    {source: "5.2.1.7", again: f("Cache-Control", "only-if-cached"), served: true},

	"Vary, the same":              {source: "4.1", sent: f("Accept-Language", "en, de"), received: f("Vary", "accept-language"), again: f("Accept-Language", "en,de"), served: true},
	"Vary, another":               {source: "4.1", sent: f("Accept-Language", "en"), received: f("Vary", "Accept-Language"), again: f("Accept-Language", "de")},
	"Vary, on two lines":          {source: "4.1", sent: f("Accept-Language", "en, de"), received: f("Vary", "Accept-Language"), again: f("Accept-Language", "en", "Accept-Language", "de"), served: true},
	"Vary, absent":                {source: "4.1", received: f("Vary", "Accept-Language"), served: true},
	"Vary, absent is not empty":   {source: "4.1", received: f("Vary", "Accept-Language"), again: f("Accept-Language", "")},
	"Vary *":                      {source: "4.1", received: f("Vary", "Accept, *", "Cache-Control", "public")},
	"Vary, two names":             {source: "4.1", sent: f("A", "1", "B", "2"), received: f("Vary", "B", "Vary", "A"), again: f("B", "2", "A", "1"), served: true},
	"Vary, values change places":  {source: "4.1", sent: f("A", "1", "B", "2"), received: f("Vary", "A, B"), again: f("A", "2", "B", "1")},
	"Vary, a quoted comma":        {source: "RFC 9110 section 5.6.4", sent: f("A", `"a, b"`), received: f("Vary", "A"), again: f("A", `"a,b"`)},
	"Vary, a quote in quotes":     {source: "RFC 9110 section 5.6.4", sent: f("A", `"a\", b" , c`), received: f("Vary", "A"), again: f("A", `"a\", b",c`), served: true},
	"Vary, a value with the next": {source: "4.1", sent: f("A", "1", "B", "2"), received: f("Vary", "A, B"), again: f("A", "1, 2")},
}

func f(fields ...string) []string { return fields }

func TestRulesOfRFC9111(t *testing.T) {
	for name, r := range rules {
		t.Run(strings.ReplaceAll(r.source+" "+name, " ", "_"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var a edge.AlwaysOnline
				status := r.status
				if status == 0 {
					status = 200
				}
				content := "content"
				if status == 204 {
					content = ""
				}
				passOn(t, &a, get("http://example.test/", r.sent...), status, content, r.received...)
				time.Sleep(r.after)
				resp := copyFor(t, &a, get("http://example.test/", r.again...))
				require.Equal(t, r.served, resp != nil, "served")
				if resp == nil {
					return
				}
				assert.Equal(t, status, resp.StatusCode)
				assert.Equal(t, content, contentOf(t, resp))
				assert.Empty(t, resp.Header.Values("Set-Cookie"))
			})
		})
	}
}

func TestFieldsOfTheConnectionAndOfOnePersonAreNotStored(t *testing.T) {
	var a edge.AlwaysOnline
	passOn(t, &a, get("http://example.test/"), 200, "content", "Connection", "close, X-Hop", "X-Hop", "1", "Keep-Alive", "timeout=5",
		"Proxy-Authenticate", "Basic", "Upgrade", "h2c", "Cache-Control", `public, private="X-User", no-cache="X-Other"`,
		"X-User", "u", "X-Other", "o", "Set-Cookie", "a=b", "Warning", "299 - x", "Proxy-Status", "other; error=dns_error",
		"Etag", `"tag"`, "Cache-Status", "other; hit", "X-Kept", "1", "X-Kept", "2")
	resp := copyFor(t, &a, get("http://example.test/"))
	require.NotNil(t, resp)
	for _, name := range []string{
		"Connection", "X-Hop", "Keep-Alive", "Proxy-Authenticate", "Upgrade", "X-User", "X-Other", "Set-Cookie", "Proxy-Status",
	} {
		assert.Empty(t, resp.Header.Values(name), name)
	}
	assert.Equal(t, []string{`110 why520 "Response is Stale"`}, resp.Header.Values("Warning"))
	assert.Equal(t, []string{"1", "2"}, resp.Header.Values("X-Kept"))
	assert.Equal(t, []string{"other; hit", "why520; hit; ttl=0; detail=head-too-large"}, resp.Header.Values("Cache-Status"))
	assert.Equal(t, `"tag"`, resp.Header.Get("Etag"))
	assert.NotEmpty(t, resp.Header.Get("Date"), "RFC 9110 section 6.6.1")
}

func TestAgeIsOfRFC9111(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a edge.AlwaysOnline
		passOn(t, &a, get("http://example.test/"), 200, "content", "Age", "7", "Cache-Control", "max-age=100")
		time.Sleep(30 * time.Second)
		resp := copyFor(t, &a, get("http://example.test/"))
		require.NotNil(t, resp)
		assert.Equal(t, "37", resp.Header.Get("Age"))
		assert.Equal(t, "why520; hit; ttl=63; detail=head-too-large", resp.Header.Get("Cache-Status"))
		assert.Equal(t, `111 why520 "Revalidation Failed"`, resp.Header.Get("Warning"), "it is fresh")
		time.Sleep(100 * time.Second)
		resp = copyFor(t, &a, get("http://example.test/"))
		require.NotNil(t, resp)
		assert.Equal(t, "137", resp.Header.Get("Age"))
		assert.Equal(t, "why520; hit; ttl=-37; detail=head-too-large", resp.Header.Get("Cache-Status"))
		assert.Equal(t, `110 why520 "Response is Stale"`, resp.Header.Get("Warning"))
	})
}

func TestTheClientWaitedIsPartOfTheAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a edge.AlwaysOnline
		a.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			time.Sleep(5 * time.Second)
			passOn(t, &a, r, 200, "content", "Age", "7")
		})).ServeHTTP(nil, get("http://example.test/"))
		resp := copyFor(t, &a, get("http://example.test/"))
		require.NotNil(t, resp)
		assert.Equal(t, "12", resp.Header.Get("Age"))
	})
}

package edge_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/validator/edge"
)

func TestEachVariantHasItsCopy(t *testing.T) {
	var a edge.AlwaysOnline
	for _, language := range []string{"de", "en", "fr"} {
		passOn(t, &a, get("http://example.test/", "Accept-Language", language), 200, language, "Vary", "Accept-Language")
	}
	for _, language := range []string{"de", "en", "fr"} {
		resp := copyFor(t, &a, get("http://example.test/", "Accept-Language", language))
		require.NotNil(t, resp)
		assert.Equal(t, language, contentOf(t, resp))
	}
	passOn(t, &a, get("http://example.test/", "Accept", "x"), 200, "new", "Vary", "Accept")
	assert.Nil(t, copyFor(t, &a, get("http://example.test/", "Accept-Language", "de")), "the last Vary counts")
	passOn(t, &a, get("http://example.test/"), 200, "for all")
	resp := copyFor(t, &a, get("http://example.test/", "Accept", "x"))
	require.NotNil(t, resp)
	assert.Equal(t, "for all", contentOf(t, resp))
}

func TestTheURIThatTheClientAskedForCounts(t *testing.T) {
	var a edge.AlwaysOnline
	// through is what a proxy does: another host, another path, a field more.
	through := func(r *http.Request, then func(r *http.Request)) {
		a.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			out := r.Clone(r.Context())
			r.URL.Path = "/changed in place"
			r.Header.Set("Accept-Language", "changed in place")
			out.Host, out.URL.Host, out.URL.Scheme, out.URL.Path = "", "10.0.0.1:8080", "http", "/app"+r.URL.Path
			out.Header.Set("X-Forwarded-For", r.RemoteAddr)
			out.Header.Del("Accept-Language")
			then(out)
		})).ServeHTTP(nil, r)
	}
	through(get("http://a.test/", "Accept-Language", "de"), func(r *http.Request) {
		passOn(t, &a, r, 200, "of a", "Vary", "X-Forwarded-For, Accept-Language")
	})
	for uri, served := range map[string]bool{
		"http://a.test/": true, "http://A.test/": true, "http://b.test/": false, "https://a.test/": false, "http://a.test/app/": false,
	} {
		through(get(uri, "Accept-Language", "de"), func(r *http.Request) { assert.Equal(t, served, copyFor(t, &a, r) != nil, uri) })
	}
	assert.NotNil(t, copyFor(t, &a, get("http://a.test/", "Accept-Language", "de")))
	assert.Nil(t, copyFor(t, &a, get("http://a.test/", "Accept-Language", "en")))
}

func TestForwardedSchemesAreToldApart(t *testing.T) {
	var a edge.AlwaysOnline
	a.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		passOn(t, &a, r, 301, "", "Location", "https://a.test/")
	})).ServeHTTP(nil, get("http://a.test/", "X-Forwarded-Proto", "http"))
	assert.NotNil(t, copyFor(t, &a, get("http://a.test/", "X-Forwarded-Proto", "http")))
	assert.Nil(t, copyFor(t, &a, get("http://a.test/", "X-Forwarded-Proto", "https")), "it would be sent there again and again")
}

func TestForwardedHostsAreToldApartWithoutHandler(t *testing.T) {
	var a edge.AlwaysOnline
	passOn(t, &a, get("http://10.0.0.1/", "X-Forwarded-Host", "a.test"), 200, "of a")
	assert.NotNil(t, copyFor(t, &a, get("http://10.0.0.1/", "X-Forwarded-Host", "a.test")))
	assert.Nil(t, copyFor(t, &a, get("http://10.0.0.1/", "X-Forwarded-Host", "b.test")))
	assert.Nil(t, copyFor(t, &a, get("http://10.0.0.1/")))
	passOn(t, &a, request("POST", "http://10.0.0.1/", "X-Forwarded-Host", "a.test"), 200, "")
	assert.Nil(t, copyFor(t, &a, get("http://10.0.0.1/", "X-Forwarded-Host", "a.test")))
}

func TestTheOwnPortOfASchemeIsNoOtherURI(t *testing.T) {
	for one, other := range map[string]string{
		"http://a.test/": "http://A.test:80/", "https://a.test:443/": "https://a.test/", "http://[::1]:80/": "http://[::1]/", "http://a.test:/": "http://a.test/",
	} {
		var a edge.AlwaysOnline
		passOn(t, &a, get(one), 200, "content")
		assert.NotNil(t, copyFor(t, &a, get(other)), other)
		passOn(t, &a, request("POST", other), 200, "")
		assert.Nil(t, copyFor(t, &a, get(one)), one)
	}
	var a edge.AlwaysOnline
	for _, uri := range []string{"http://a.test/", "http://a.test:8080/", "http://a.test:443/", "https://a.test:80/", "http://[::80]/", "http://[::]/"} {
		assert.Nil(t, copyFor(t, &a, get(uri)), uri)
		passOn(t, &a, get(uri), 200, uri)
	}
	passOn(t, &a, request("POST", "http://a.test:80/x"), 200, "", "Location", "/", "Content-Location", "http://a.test:8080/")
	assert.Nil(t, copyFor(t, &a, get("http://a.test/")))
	assert.NotNil(t, copyFor(t, &a, get("http://a.test:8080/")))
}

// A client cannot have what it is answered over http kept for https: the origin is
// told of the connection's scheme, and may answer with a redirect to itself.
func TestTheSchemeIsTheConnections(t *testing.T) {
	var a edge.AlwaysOnline
	plain := get("http://a.test/")
	plain.URL.Scheme = "https" // GET https://a.test/ HTTP/1.1, without TLS
	a.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		passOn(t, &a, r, 301, "", "Location", "https://a.test/")
	})).ServeHTTP(nil, plain)
	assert.Nil(t, copyFor(t, &a, get("https://a.test/")))
	assert.NotNil(t, copyFor(t, &a, get("http://a.test/")))
}

// written keeps what a store was given.
type written struct {
	edge.MemoryStore
	all []byte
}

func (w *written) Save(key string, value []byte) error {
	w.all = append(append(w.all, key...), value...)
	return w.MemoryStore.Save(key, value)
}

func TestNoSecretOfARequestIsInTheStore(t *testing.T) {
	store := new(written)
	a := edge.AlwaysOnline{Store: store}
	asked := func() *http.Request {
		return get("http://example.test/", "Cookie", "session=s3cret", "Authorization", "Bearer s3cret", "Accept-Language", "de")
	}
	passOn(t, &a, asked(), 200, "content", "Vary", "Cookie, Authorization, Accept-Language", "Cache-Control", "public")
	assert.NotNil(t, copyFor(t, &a, asked()))
	assert.NotEmpty(t, store.all)
	assert.NotContains(t, string(store.all), "s3cret")
}

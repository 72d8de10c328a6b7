package main

// stubs are packages that the copies import, by path.
var stubs = map[string]string{
	"ours": `package ours

import (
	"net/http"
	"testing"
	"time"

	"why520/validator"
)

type Transport = validator.Transport

func CondSkipHTTP2(t testing.TB) { t.Skip("no HTTP/2 here") }

var MaxWriteWaitBeforeConnReuse = new(time.Duration)

var (
	DefaultTransport http.RoundTripper = &Transport{}
	DefaultClient                      = &http.Client{Transport: DefaultTransport}
)
`,
	"internal/testenv": `package testenv

import "testing"

func Builder() string              { return "" }
func SkipFlaky(t testing.TB, n int) { t.Skip("flaky, says Go") }
`,
	"internal/godebug": `package godebug

type Setting struct{}

func New(string) *Setting          { return &Setting{} }
func (*Setting) Value() string     { return "" }
func (*Setting) IncNonDefault()    {}
func (*Setting) Name() string      { return "" }
`,
}

// reverseProxyShim leaves the clients of the proxies under test as they are.
const reverseProxyShim = `package httputil

import "net/http"

func oursClient(c *http.Client) *http.Client { return c }
`

// clientShim has what the copies of net/http's tests name: our Transport, clients
// that have it, and what is internal there as far as it has a meaning here.
const clientShim = `package http_test

import (
	"io"
	"net/http"
	"net/url"
	"testing"
	"time"

	"why520/validator"
)

type oursTransport = validator.Transport

var (
	oursDefaultTransport http.RoundTripper = &validator.Transport{}
	oursDefaultClient                      = &http.Client{}
)

func init() {
	http.DefaultTransport = oursDefaultTransport
	http.DefaultClient.Transport = oursDefaultTransport
	oursDefaultClient = http.DefaultClient
}

func oursGet(u string) (*http.Response, error)  { return http.Get(u) }
func oursHead(u string) (*http.Response, error) { return http.Head(u) }
func oursPost(u, contentType string, content io.Reader) (*http.Response, error) {
	return http.Post(u, contentType, content)
}
func oursPostForm(u string, v url.Values) (*http.Response, error) { return http.PostForm(u, v) }

// oursClient gives a server's client our Transport.
func oursClient(c *http.Client) *http.Client {
	t, ok := c.Transport.(*http.Transport)
	if !ok {
		return c
	}
	c.Transport = &validator.Transport{TLSClientConfig: t.TLSClientConfig, DialContext: t.DialContext, ExpectContinueTimeout: time.Second}
	return c
}

func CondSkipHTTP2(t testing.TB) { t.Skip("no HTTP/2 here") }

func ExportHttp2ConfigureServer(*http.Server, any) {}

func ExportHttp2ConfigureTransport(*validator.Transport) error { return nil }

var MaxWriteWaitBeforeConnReuse = new(time.Duration)
`

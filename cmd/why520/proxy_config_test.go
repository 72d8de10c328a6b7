package main

import (
	"strings"
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// loaded gives what a file of the proxy's comes to.
func loaded(t *testing.T, text string) (*proxyConfig, error) {
	t.Helper()
	return loadProxyConfig(file(t, "proxy.yaml", text), pflag.NewFlagSet("", pflag.ContinueOnError))
}

// anOrigin is one with these keys, written in YAML.
func anOrigin(keys ...string) string {
	return "origins:\n  - url: http://127.0.0.1:1\n    " + strings.Join(keys, "\n    ") + "\n"
}

func TestHostsAreWhatRequestsHave(t *testing.T) {
	for text, want := range map[string]string{
		"www.Example.COM":   "www.example.com",
		"x.test.":           "x.test",
		"*.X.test.":         "*.x.test",
		"bücher.example":    "xn--bcher-kva.example",
		"*.BÜCHER.example":  "*.xn--bcher-kva.example",
		"under_score.test":  "under_score.test",
		"localhost":         "localhost",
		"127.0.0.1":         "127.0.0.1",
		"[::1]":             "::1",
		"2001:DB8:0:0::0:1": "2001:db8::1",
	} {
		c, err := loaded(t, anOrigin("hosts: ['"+text+"']"))
		if assert.NoError(t, err, text) {
			assert.Equal(t, []string{want}, c.Origins[0].hosts(), text)
		}
	}
}

func TestWhatTheFileOfAProxyMayNotSay(t *testing.T) {
	for text, want := range map[string]string{
		anOrigin("hosts: ['x.test:8080']"):                                        `hosts: "x.test:8080": want "x.test"`,
		anOrigin("hosts: ['[::1]:80']"):                                           `hosts: "[::1]:80": want "[::1]"`,
		anOrigin("hosts: ['http://x.test/']"):                                     `hosts: "http://x.test/": want "x.test"`,
		anOrigin("hosts: ['x.test/a']"):                                           `want a name alone`,
		anOrigin("hosts: ['*']"):                                                  `leave hosts out`,
		anOrigin("hosts: ['']"):                                                   `leave hosts out`,
		anOrigin("hosts: ['a.*.test']"):                                           `"*.example.com"`,
		anOrigin("hosts: ['*x.test']"):                                            `"*.example.com"`,
		anOrigin("hosts: ['*.']"):                                                 `hosts: "*."`,
		anOrigin("hosts: ['a..test']"):                                            `empty`,
		anOrigin("hosts: ['a b.test']"):                                           `' '`,
		anOrigin("hosts: ['fe80::1%eth0']"):                                       `zone`,
		anOrigin("hosts: ['" + strings.Repeat("x", 64) + ".test']"):               `63`,
		anOrigin("hosts: ['" + strings.Repeat("x.", 127) + "test']"):              `253`,
		anOrigin("hosts: ['xn--a.test']", "x: y"):                                 `no key "x"`,
		anOrigin("hosts: [A.test, a.test.]"):                                      `stands there twice`,
		anOrigin("hosts: [A.test]") + "  - {url: 'http://b', hosts: [a.TEST.]}\n": `both for "a.test"`,
		anOrigin("connect-to: foo:bar:baz"):                                       `connect-to "foo:bar:baz": want HOST or HOST:PORT`,
		anOrigin("connect-to: a:999999"):                                          `1 to 65535`,
		anOrigin("connect-to: a:0"):                                               `1 to 65535`,
		anOrigin("connect-to: 'a:'"):                                              `1 to 65535`,
		anOrigin("connect-to: '[::1'"):                                            `want HOST or HOST:PORT`,
		anOrigin("connect-to: 'http://a'"):                                        `want HOST or HOST:PORT`,
		anOrigin(`host: "a\r\nX: y"`):                                             `host "a\r\nX: y"`,
		anOrigin("host: 'a b'"):                                                   `host "a b"`,
		anOrigin("host: '*.test'"):                                                `host "*.test"`,
		anOrigin("sni: 'a:443'"):                                                  `sni "a:443": want a name alone`,
		"origins: [{url: 'http://127.0.0.1:99999'}]\n":                            `1 to 65535`,
		"origins: [{url: 'http://127.0.0.1:0'}]\n":                                `1 to 65535`,
		"origins: [{url: 'http://a..b'}]\n":                                       `empty`,
		anOrigin() + "---\norigins: []\n":                                         `second document`,
		anOrigin() + "---\n]\n":                                                   `did not find expected`,
	} {
		_, err := loaded(t, text)
		if assert.Error(t, err, text) {
			assert.Contains(t, err.Error(), want, text)
			assert.NotContains(t, err.Error(), "\r")
		}
	}
}

func TestNamesOfAnOriginAreInTheFormThatIsSent(t *testing.T) {
	c, err := loaded(t, "origins:\n  - {url: 'https://bücher.example', connect-to: 'fe80::1%lo', host: 'BÜCHER.example:8080', sni: Bücher.example}\n"+
		"  - {url: 'http://[::1]:80', hosts: [x.test], connect-to: '[::1]:8080', host: '[::1]:1'}\n"+
		"  - {url: 'http://127.0.0.1', hosts: [y.test], connect-to: 'a_b.Test:8080', host: under_score}\n---\n")
	require.NoError(t, err)
	for i, want := range []originConfig{
		{ConnectTo: "fe80::1%lo", Host: "xn--bcher-kva.example:8080", SNI: "xn--bcher-kva.example"},
		{ConnectTo: "[::1]:8080", Host: "[::1]:1"},
		{ConnectTo: "a_b.test:8080", Host: "under_score"},
	} {
		o := c.Origins[i]
		assert.Equal(t, want, originConfig{ConnectTo: o.ConnectTo, Host: o.Host, SNI: o.SNI})
		assert.Equal(t, want.SNI, o.tls.ServerName)
	}
}

package why520_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/validator/origintest"
)

func unmarshal(text string, to any) error { return json.Unmarshal([]byte(text), to) }

func TestEveryOptionOfTheCaddyfile(t *testing.T) {
	t.Parallel()
	roots := t.TempDir() + "/roots.pem"
	require.NoError(t, os.WriteFile(roots, origintest.AuthorityPEM(), 0o600))
	config, err := adapt(t, `
	why520 /shop/* {
		name edge7
		gateway
		contact ops@example.com
		types https://example.com/reasons/
		details private_ranges 2001:db8::/32
		trailers
		always_online {
			memory shop
			budget 1MiB
			max_size 64KiB
			max_stale 1h
			statuses 520 522
			banner
		}
	}
	`+proxied("127.0.0.1:9", "", `
		policy strict
		head 16KiB
		line 1KiB
		chunk_line 100
		trailer 2KiB
		body 1GiB
		fields 50
		interim 3
		tolerate bare-lf field-obs-fold
		hold_content 64KiB
		recorder 10 1MiB
		write_timeout 1s
		first_byte_timeout 2s
		response_header_timeout 3s
		read_timeout 4s
		total_timeout 5s
		dial_timeout 6s
		dial_fallback_delay 7s
		expect_continue_timeout 8s
		resolvers 127.0.0.1:53
		max_conns_per_host 9
		keepalive 10s
		keepalive_interval 11s
		keepalive_idle_conns 12
		keepalive_idle_conns_per_host 13
		tls
		tls_server_name origin.test
		tls_trust_pool file `+roots+`
		tls_timeout 14s
		tls_except_ports 80`))
	require.NoError(t, err, config)
	for _, want := range []string{
		`"protocol":"why520"`, `"policy":"strict"`, `"limits":{"body":1073741824,"chunk_line":100,"fields":50,"head":16384,"interim":3,"line":1024,"tolerate":"bare-lf,field-obs-fold","trailer":2048}`,
		`"hold_content":65536`, `"recorder":{"most":10,"most_bytes":1048576}`,
		`"write_timeout":1000000000`, `"first_byte_timeout":2000000000`, `"response_header_timeout":3000000000`, `"read_timeout":4000000000`,
		`"total_timeout":5000000000`, `"dial_timeout":6000000000`, `"dial_fallback_delay":7000000000`, `"expect_continue_timeout":8000000000`,
		`"max_conns_per_host":9`, `"idle_timeout":10000000000`, `"probe_interval":11000000000`, `"max_idle_conns":12`, `"max_idle_conns_per_host":13`,
		`"server_name":"origin.test"`, `"handshake_timeout":14000000000`, `"except_ports":["80"]`,
		`"handler":"why520"`, `"always_online":{"banner":true,"budget":1048576,"max_size":65536,"max_stale":3600000000000,"memory":"shop","statuses":[520,522]}`,
		`"details":["private_ranges","2001:db8::/32"]`, `"trailers":true`, `"types":"https://example.com/reasons/"`,
	} {
		assert.Contains(t, config, want)
	}
	assert.Less(t, strings.Index(config, `"handler":"why520"`), strings.Index(config, `"handler":"reverse_proxy"`), "it goes around")
}

func TestWhatTheCaddyfileMayNotSay(t *testing.T) {
	t.Parallel()
	for site, want := range map[string]string{
		proxied(":9", "", "polizy strict"):                        "no option polizy",
		"reverse_proxy :9 {\n\ttransport why520 foo\n}":           "wrong argument count",
		proxied(":9", "", "policy lax"):                           "policy lax: want strict, report, or one of",
		proxied(":9", "", "policy"):                               "Wrong argument count",
		proxied(":9", "", "head much"):                            "no number of bytes",
		proxied(":9", "", "head 2GiB"):                            "head",
		proxied(":9", "", "fields 0"):                             "no number",
		proxied(":9", "", "read_timeout soon"):                    "no duration",
		proxied(":9", "", "tolerate bare-cr"):                     "no reason that can be tolerated",
		proxied(":9", "", "recorder none"):                        "no number of exchanges",
		proxied(":9", "", "compression off"):                      "no option compression",
		proxied(":9", "", "versions 2"):                           "no option versions",
		proxied(":9", "", "tls_server_name {host}"):               "placeholders",
		"why520 {\n\tcolour red\n}":                               "no option colour",
		"why520 {\n\tdetails everybody\n}":                        "neither private_ranges nor an address",
		"why520 {\n\tpage /nowhere/page.html\n}":                  "no such file",
		"why520 {\n\talways_online {\n\t\tstatuses 200\n\t}\n}":   "none of 520",
		"why520 {\n\talways_online {\n\t\tstore x\n\t}\n}":        "no option store",
		"why520 {\n\talways_online {\n\tmemory a\n\tdisk b\n}\n}": "not both",
		"why520 {\n\talways_online {\n\tdisk /dev/null\n}\n}":     "is no folder",
	} {
		said, err := adapt(t, site)
		assert.Error(t, err, site)
		assert.Contains(t, strings.ToLower(said), strings.ToLower(want), site)
	}
}

// The README's Caddyfile, but for the addresses in it.
func TestTheCaddyfileOfTheREADME(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("README.md")
	require.NoError(t, err)
	_, example, found := strings.Cut(string(content), "```caddyfile\n")
	require.True(t, found)
	example, _, found = strings.Cut(example, "```")
	require.True(t, found)
	lines := strings.SplitN(strings.TrimSpace(example), "\n", 2)
	require.Equal(t, "example.com {", lines[0])
	site := strings.TrimSuffix(lines[1], "}")
	bad, good := origintest.Start(t, "chunked-cut"), origintest.Start(t, "ok")
	for o, want := range map[*origintest.Origin]int{bad: 520, good: 200} {
		p := start(t, "", strings.NewReplacer("10.0.0.7:8080", o.Addr(), "/var/lib/caddy/copies", t.TempDir()).Replace(site))
		resp, _ := p.get(t, "/")
		assert.Equal(t, want, resp.StatusCode)
	}
}

package edge

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// sample is a copy with something in every field.
func sample() *copied {
	return &copied{
		text: "http://example.test/", status: 200, at: time.Unix(1e9, 5), age: 7 * time.Second,
		header: http.Header{"Content-Type": {"text/html"}, "Vary": {"Accept", "Cookie"}},
	}
}

func TestAValueThatIsNotWholeIsNoCopy(t *testing.T) {
	value := sample().encode([]byte("content"), 0)
	c, err := decodeCopy(value)
	require.NoError(t, err)
	want := sample()
	want.content = []byte("content")
	assert.Equal(t, want, c)
	for n := range value {
		_, err := decodeCopy(value[:n])
		assert.Error(t, err, "cut at %d", n)
		for bit := range 8 {
			damaged := bytes.Clone(value)
			damaged[n] ^= 1 << bit
			_, err := decodeCopy(damaged)
			assert.Error(t, err, "bit %d of byte %d", bit, n)
		}
	}
	_, err = decodeCopy(append(value, 0))
	assert.Error(t, err, "a byte more")
}

func TestADamagedCopyIsRemoved(t *testing.T) {
	var a AlwaysOnline
	value := sample().encode([]byte("content"), 0)
	value[len(value)-1]++
	require.NoError(t, a.store().Save(keyOf("http://example.test/"), value))
	assert.Nil(t, a.get("http://example.test/"))
	assert.Zero(t, a.own.Size())
}

func TestACopyUnderAnotherKeyIsNotServed(t *testing.T) {
	var a AlwaysOnline
	require.NoError(t, a.store().Save(keyOf("http://other.test/"), sample().encode(nil, 0)))
	assert.Nil(t, a.get("http://other.test/"))
}

// FuzzDecodeCopy reads any bytes below a right checksum.
func FuzzDecodeCopy(f *testing.F) {
	f.Add(sample().encode([]byte("content"), 0)[headEnd:])
	f.Add((&copied{text: "u", vary: []string{"accept"}, nonce: "n"}).encode(nil, 0)[headEnd:])
	f.Fuzz(func(t *testing.T, payload []byte) {
		value := seal(append(append([]byte(mark), 0, 0, 0, 0), payload...))
		c, err := decodeCopy(value)
		if err != nil {
			return
		}
		again, err := decodeCopy(c.encode(c.content, 0))
		require.NoError(t, err)
		assert.Equal(t, c, again)
		now := time.Unix(2e9, 0)
		assert.GreaterOrEqual(t, c.ageAt(now), c.age)
		assert.GreaterOrEqual(t, c.lifetime(), time.Duration(0))
		if c.servable(now, nil, time.Hour) {
			assert.True(t, c.mayBeStale() || c.ageAt(now) < c.lifetime())
		}
		value[len(value)-1] ^= 1
		_, err = decodeCopy(value)
		assert.Error(t, err)
	})
}

// FuzzCacheControl holds that what was read, written again, reads the same; that
// times are within their limits; and that a directive on a line of its own counts
// whatever the others have.
func FuzzCacheControl(f *testing.F) {
	for _, s := range []string{
		"max-age=60, no-store", `private="Set-Cookie, X", No-Cache`, `x="a\"b", s-maxage="5"`, `="`, "a=b=c", `a = "b`, "max-age=99999999999999999999",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		d := directivesOf(http.Header{"Cache-Control": {line, "no-store"}})
		assert.True(t, d.has("no-store"))
		var b strings.Builder
		for name, arguments := range d {
			for _, argument := range arguments {
				b.WriteString(name + `="` + strings.NewReplacer(`"`, `\"`, `\`, `\\`).Replace(argument) + `", `)
			}
			s, ok := d.seconds(name)
			assert.True(t, ok && s >= 0 && s <= longest)
			if n, err := strconv.ParseUint(arguments[0], 10, 31); err == nil && len(arguments) == 1 && arguments[0][0] != '+' {
				assert.Equal(t, time.Duration(n)*time.Second, s)
			}
		}
		assert.Equal(t, d, directivesOf(http.Header{"Cache-Control": {b.String()}}))
	})
}

// FuzzBodyAt holds that a banner never stands within a tag.
func FuzzBodyAt(f *testing.F) {
	for _, s := range []string{"<html><body>x", "<!-- <body> --><body a='>'>", "<script><body></script><BODY>", "<title><body>", "<body", "<body/>", "a<b<body>"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, page []byte) {
		at := bodyAt(page)
		if at == -1 {
			return
		}
		before := bytes.ToLower(page[:at])
		assert.True(t, bytes.HasSuffix(before, []byte(">")))
		assert.Contains(t, string(before), "<body")
	})
}

package bench_test

import (
	"bufio"
	"bytes"
	"hash/crc32"
	"io"
	"net/http"
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/bench"
)

func TestCasesAreOfTheSizesThatTheyAreKnownFor(t *testing.T) {
	known := map[string]struct{ variants, size, fewest, most int }{
		"tiny":            {1000, 105, 3, 3},
		"nginx":           {1000, 287, 9, 9},
		"cdn":             {500, 1260, 25, 25},
		"cookies":         {200, 8192, 7, 7},
		"fields":          {64, 65536, 500, 500},
		"tinyfields":      {200, 6500, 500, 500},
		"mixed":           {1000, 473, 3, 25},
		"malformed-early": {500, 287, 0, 0},
		"malformed-late":  {500, 287, 0, 0},
	}
	for _, c := range bench.Cases() {
		k, ok := known[c.Name]
		if !ok {
			assert.NotNil(t, c.Contents, "%s: heads of a size that is not known", c.Name)
			continue
		}
		delete(known, c.Name)
		assert.Len(t, c.Inputs, k.variants, c.Name)
		assert.EqualValues(t, k.size, c.Size(), c.Name)
		for _, want := range c.Want {
			assert.True(t, k.fewest <= want.Fields && want.Fields <= k.most, "%s: %d field lines", c.Name, want.Fields)
		}
	}
	assert.Empty(t, known)
}

func TestResponsesAreOfTheSizesThatTheyAreKnownFor(t *testing.T) {
	content := map[string]int{"interim": 128, "chunked16": 2 << 10, "chunked1k": 16 << 10, "chunked16k": 64 << 10}
	for _, c := range bench.Cases() {
		if c.Contents == nil {
			continue
		}
		n := 0
		for _, b := range c.Contents {
			n += len(b)
		}
		assert.InEpsilon(t, content[c.Name], n/len(c.Contents), 0.1, c.Name)
		delete(content, c.Name)
	}
	assert.Empty(t, content)
}

func TestVariantsDifferAndLieOneBehindTheOther(t *testing.T) {
	names := map[string]bool{}
	for _, c := range bench.Cases() {
		assert.False(t, names[c.Name], "two cases are called %s", c.Name)
		names[c.Name] = true
		require.Len(t, c.Want, len(c.Inputs), c.Name)
		seen := map[string]bool{}
		at := reflect.ValueOf(c.Inputs[0]).Pointer()
		for i, b := range c.Inputs {
			assert.False(t, seen[string(b)], "%s: input %d is there twice", c.Name, i)
			seen[string(b)] = true
			assert.Equal(t, at, reflect.ValueOf(b).Pointer(), "%s: where input %d lies", c.Name, i)
			at += uintptr(len(b))
		}
	}
	assert.NotEmpty(t, names)
}

// Figures of one version are compared with those of another: a case, once
// released, never changes.
func TestCasesStayWhatTheyAre(t *testing.T) {
	sums := map[string]uint32{}
	for _, c := range bench.Cases() {
		sums[c.Name] = crc32.ChecksumIEEE(bytes.Join(c.Inputs, nil))
	}
	assert.Equal(t, map[string]uint32{
		"tiny": 0xcb47deff, "nginx": 0x43399bf0, "cdn": 0xffb3604d, "cookies": 0x27409946,
		"fields": 0x7bc4754a, "tinyfields": 0x70c2a3d1, "mixed": 0x793fb3e1,
		"malformed-early": 0xad582427, "malformed-late": 0x99ce014f, "interim": 0xdcbce9a4,
		"chunked16": 0x907a7750, "chunked1k": 0xcac1306e, "chunked16k": 0x2f2f6449,
	}, sums)
}

// What a case wants was written down when it was made; here it is read off the
// bytes. net/http changes fields: these are counted.
func TestNetHTTPReadsWhatIsWanted(t *testing.T) {
	for _, c := range bench.Cases() {
		for i, want := range c.Want {
			if !want.OK {
				continue
			}
			source := bytes.NewReader(c.Inputs[i])
			r := bufio.NewReader(source)
			res, err := http.ReadResponse(r, nil)
			for err == nil && res.StatusCode < 200 {
				res, err = http.ReadResponse(r, nil)
			}
			require.NoError(t, err, "%s: input %d", c.Name, i)
			n := len(c.Inputs[i]) - source.Len() - r.Buffered()
			heads := bytes.Split(c.Inputs[i][:n], []byte("\r\n\r\n"))
			final := heads[len(heads)-2]
			got := bench.Result{OK: true, Head: n, Status: res.StatusCode, Fields: bytes.Count(final, []byte("\r\n"))}
			if c.Contents != nil {
				content, err := io.ReadAll(res.Body)
				require.NoError(t, err, "%s: input %d", c.Name, i)
				require.Equal(t, c.Contents[i], content, "%s: input %d", c.Name, i)
				got.Content = len(content)
			}
			require.Equal(t, want, got, "%s: input %d", c.Name, i)
		}
	}
}

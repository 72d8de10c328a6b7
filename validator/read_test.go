package validator_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/validator"
	"why520/wire"
)

// fields gives n field lines of 10 bytes.
func fields(n int) string { return strings.Repeat("X-Y: abc\r\n", n) }

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

func TestVerdictOfSavedBytes(t *testing.T) {
	tolerate := func(rs ...wire.Reason) validator.Policy {
		return validator.Policy{Limits: wire.Limits{Tolerate: wire.SetOf(rs...)}}
	}
	for _, c := range []struct {
		name     string
		raw      string
		o        validator.ReadOptions
		reason   wire.Reason
		offset   int64
		findings string // all of them, "reason@offset ..."
		notes    string
	}{
		{name: "whole", raw: ok, offset: -1},
		{name: "nothing", raw: "", reason: wire.ClosedWithoutAByte, offset: -1, findings: "closed-without-a-byte@-1"},
		{name: "nothing but a reset", o: validator.ReadOptions{End: wire.RST}, reason: wire.ResetAfterRequest, offset: -1, findings: "reset-after-request@-1"},
		{name: "silence", o: validator.ReadOptions{End: wire.Timeout}, reason: wire.FirstByteTimeout, offset: -1, findings: "first-byte-timeout@-1"},
		{name: "reset behind the end", raw: ok, o: validator.ReadOptions{End: wire.RST}, offset: -1},
		{name: "surplus", raw: ok + "!", offset: -1, notes: "bytes-after-response@43"},
		{name: "content of a 204", raw: "HTTP/1.1 204 No\r\nServer: x\r\n\r\nhello", offset: -1, notes: "body-not-allowed@30"},
		{name: "all tolerable faults are found", raw: "HTTP/1.1 200 OK\nA : b\r\n c\r\n\r\n", reason: wire.BareLF, offset: 15,
			findings: "bare-lf@15 field-space-before-colon@17 field-obs-fold@23"},
		{name: "the first refused one counts", raw: "HTTP/1.1 200 OK\nA : b\r\n c\r\n\r\n", o: validator.ReadOptions{Policy: tolerate(wire.BareLF, wire.FieldObsFold)},
			reason: wire.FieldSpaceBeforeColon, offset: 17, findings: "field-space-before-colon@17", notes: "bare-lf@15 field-obs-fold@23"},
		{name: "a fault beats the cut", raw: "HTTP/1.1 200 OK\nServer: x", reason: wire.BareLF, offset: 15, findings: "bare-lf@15 head-cut@-1"},
		{name: "framing comes behind grammar", raw: "HTTP/1.1 200 OK\r\nContent-Length: 3, 3\r\nA : b\r\n\r\nabc", reason: wire.FieldSpaceBeforeColon, offset: 40,
			findings: "field-space-before-colon@40 content-length-repeated@36"},
		{name: "near the budget", raw: "HTTP/1.1 200 OK\r\n" + fields(700) + "Content-Length: 0\r\n\r\n", o: validator.ReadOptions{Policy: validator.Policy{Limits: wire.Limits{Fields: 1000}}},
			offset: -1, notes: "near-budget@-1"},
		{name: "obs-text and underscore", raw: "HTTP/1.1 200 OK\r\nA_b: \xe9\r\nContent-Length: 0\r\n\r\n", offset: -1, notes: "field-name-underscore@18 field-obs-text@22"},
		{name: "content on a 205", raw: "HTTP/1.1 205 R\r\nContent-Length: 1\r\n\r\nx", offset: -1, notes: "content-on-reset-content@37"},
		{name: "a chunk larger than the budget", raw: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nff\r\n", o: validator.ReadOptions{Policy: validator.Policy{Limits: wire.Limits{Body: 10}}},
			reason: wire.BodyTooLarge, offset: 55, findings: "body-too-large@55"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, split := range []int{0, 1, 2, 3, 7} {
				c.o.Split = split
				e := validator.Read([]byte(c.raw), validator.RequestFacts{}, c.o)
				v := validator.Judge(e, nil)
				assert.Equal(t, c.reason, v.Reason, "split %d", split)
				assert.Equal(t, c.offset, v.Offset, "split %d", split)
				assert.Equal(t, c.findings, found(v.Findings), "split %d", split)
				assert.Equal(t, c.notes, found(v.Notes), "split %d", split)
			}
		})
	}
}

func found(fs []validator.Finding) string {
	var all []string
	for _, f := range fs {
		all = append(all, f.Reason.String()+"@"+itoa(f.Offset))
	}
	return strings.Join(all, " ")
}

func itoa(n int64) string {
	b, _ := json.Marshal(n)
	return string(b)
}

func TestHeadOverItsBudgetIsMeasured(t *testing.T) {
	raw := []byte("HTTP/1.1 200 OK\r\n" + fields(100) + "Set-Cookie: " + strings.Repeat("c", 9000) + "\r\n\r\nhello")
	head := len(raw) - len("hello")
	for _, split := range []int{0, 1, 1000} {
		e := validator.Read(raw, validator.RequestFacts{}, validator.ReadOptions{Split: split})
		v := validator.Judge(e, nil)
		assert.Equal(t, wire.HeadTooLarge, v.Reason)
		assert.EqualValues(t, 8192, v.Offset)
		h := e.Response.Head
		assert.True(t, h.Complete)
		assert.Equal(t, head, h.Size)
		assert.Equal(t, 101, h.Fields)
		assert.Equal(t, []validator.FieldSize{{Name: "set-cookie", Count: 1, Bytes: 9014}, {Name: "x-y", Count: 100, Bytes: 1000}}, h.Largest)
		assert.Less(t, len(e.Response.Raw), 8192+100, "what is measured is not kept")
		assert.Contains(t, v.Message, "8192")
	}
}

func TestHeadWithoutEnd(t *testing.T) {
	raw := []byte("HTTP/1.1 200 OK\r\n" + strings.Repeat("X: y\r\n", 1<<18))
	e := validator.Read(raw, validator.RequestFacts{}, validator.ReadOptions{Split: 4096})
	v := validator.Judge(e, nil)
	assert.Equal(t, wire.HeadEndless, v.Reason)
	assert.Equal(t, 1<<20, e.Response.Head.Size)
	assert.False(t, e.Response.Head.Complete)
}

func TestSecretsAreMaskedAndStillReadAsTheyWere(t *testing.T) {
	raw := "HTTP/1.1 200 OK\r\nSet-Cookie: id=s3cret; Path=/\r\n set-too\r\nAuthorization : s3cret\r\nContent-Length: 5\r\n\r\nhello"
	o := validator.ReadOptions{Policy: validator.Report()}
	e := validator.Read([]byte(raw), validator.RequestFacts{}, o)
	assert.NotContains(t, string(e.Response.Raw), "s3cret")
	assert.NotContains(t, string(e.Response.Raw), "set-too")
	assert.Len(t, e.Response.Raw, len(raw))
	again := validator.Read(e.Response.Raw, validator.RequestFacts{}, o)
	assert.Equal(t, e.Response.Found, again.Response.Found)
	assert.Equal(t, e.Response.Head, again.Response.Head)
}

func TestStoredEvidenceHasTheSameVerdict(t *testing.T) {
	for _, raw := range []string{ok, "", "HTTP/1.1 2", "SSH-2.0-x\r\n", "HTTP/1.1 200 OK\nA : b\r\n\r\n", "HTTP/1.1 200 OK\r\n" + fields(900) + "\r\n"} {
		e := validator.Read([]byte(raw), validator.RequestFacts{Method: "GET"}, validator.ReadOptions{Policy: validator.Report(), Digest: true})
		stored, err := json.Marshal(e)
		require.NoError(t, err)
		var back validator.Evidence
		require.NoError(t, json.Unmarshal(stored, &back))
		assert.Equal(t, validator.Judge(e, nil), validator.Judge(&back, nil))
		assert.Equal(t, e, &back)
	}
}

func TestReplayUnderOtherBudgets(t *testing.T) {
	raw := []byte("HTTP/1.1 200 OK\r\n" + fields(100) + "Content-Length: 100000\r\n\r\n" + strings.Repeat("x", 99_999))
	e := validator.Read(raw, validator.RequestFacts{}, validator.ReadOptions{Digest: true})
	require.Equal(t, wire.BodyShort, validator.Judge(e, nil).Reason)

	smaller := validator.Policy{Limits: wire.Limits{Head: 500}}
	again, err := e.Replay(smaller)
	require.NoError(t, err)
	v := validator.Judge(again, nil)
	assert.Equal(t, wire.HeadTooLarge, v.Reason)
	assert.EqualValues(t, 500, v.Offset)
	fresh := validator.Read(raw, validator.RequestFacts{}, validator.ReadOptions{Policy: smaller})
	assert.Equal(t, validator.Judge(fresh, nil).Message, v.Message)

	larger := validator.Policy{Limits: wire.Limits{Head: 1 << 20}}
	again, err = e.Replay(larger)
	require.NoError(t, err)
	v = validator.Judge(again, nil)
	assert.Equal(t, wire.BodyShort, v.Reason, "what was seen of the content stands")
	assert.Equal(t, e.Response.Body, again.Response.Body)

	over := validator.Read(raw, validator.RequestFacts{}, validator.ReadOptions{Policy: smaller})
	_, err = over.Replay(larger)
	var replay *validator.ReplayError
	assert.ErrorAs(t, err, &replay)

	tolerant := validator.Policy{Limits: wire.Limits{Head: 500, Tolerate: wire.Tolerable}}
	again, err = over.Replay(tolerant)
	require.NoError(t, err)
	assert.Equal(t, wire.HeadTooLarge, validator.Judge(again, nil).Reason)
}

func TestContentThatDoesNotDecode(t *testing.T) {
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	_, _ = w.Write([]byte("hello"))
	w.Close()
	good := zipped.Bytes()
	bad := append(bytes.Clone(good[:len(good)-1]), 0xFF)
	for name, c := range map[string]struct {
		coding  string
		content []byte
		want    wire.Reason
	}{
		"gzip":           {"gzip", good, wire.OK},
		"wrong checksum": {"gzip", bad, validator.ContentCodingCorrupt},
		"no gzip at all": {"gzip", []byte("hello"), validator.ContentCodingCorrupt},
		"cut in itself":  {"gzip", good[:9], validator.ContentCodingCorrupt},
		"trailing bytes": {"gzip", append(bytes.Clone(good), 'x'), validator.ContentCodingCorrupt},
		"plain":          {"identity", []byte("hello"), wire.OK},
		"not known":      {"br", []byte("hello"), wire.OK},
		"deflate":        {"deflate", []byte("\x78\x9c\xcb\x48\xcd\xc9\xc9\x07\x00\x06\x2c\x02\x15"), wire.OK},
		"raw deflate":    {"deflate", []byte("\xcb\x48\xcd\xc9\xc9\x07\x00"), wire.OK},
	} {
		t.Run(name, func(t *testing.T) {
			raw := "HTTP/1.1 200 OK\r\nContent-Encoding: " + c.coding + "\r\nContent-Length: " + itoa(int64(len(c.content))) + "\r\n\r\n" + string(c.content)
			e := validator.Read([]byte(raw), validator.RequestFacts{}, validator.ReadOptions{Decode: true, Split: 3})
			v := validator.Judge(e, nil)
			assert.Equal(t, c.want, v.Reason, v.Message)
		})
	}
}

package edge_test

import (
	"bytes"
	"strings"
	"testing"

	"why520/validator"
	"why520/validator/edge"
	"why520/wire"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestProxyStatusHasWhatTheTypeOfErrorAddsToIt(t *testing.T) {
	for _, c := range []struct {
		reason wire.Reason
		change func(*validator.Evidence)
		show   bool
		want   map[string]any // beside error, details and received-status
	}{
		{reason: validator.DNSFailure, want: map[string]any{"rcode": "NXDOMAIN"}},
		{reason: validator.DNSFailure, change: func(e *validator.Evidence) { e.Name.Code = "no address" }},
		{reason: validator.DNSFailure, change: func(e *validator.Evidence) { e.Name = nil }},
		{reason: validator.TLSAlertReceived, want: map[string]any{"alert-id": int64(40), "alert-message": token("handshake_failure")}},
		{reason: validator.TLSAlertReceived, change: func(e *validator.Evidence) { e.TLS.Alert = 201 }, want: map[string]any{"alert-id": int64(201)}},
		{reason: validator.TLSAlertReceived, change: func(e *validator.Evidence) { e.TLS = nil }},
		{reason: wire.HeadTooLarge, want: map[string]any{"header-section-size": int64(9020)}},
		{reason: wire.FieldLineTooLong, want: map[string]any{"header-size": int64(8300)}},
		{reason: wire.FieldLineTooLong, show: true, want: map[string]any{"header-size": int64(8300), "header-name": "server"}},
		{reason: wire.FieldLineTooLong, show: true, change: func(e *validator.Evidence) { e.Response.Raw = []byte("HTTP/1.1 200 OK\r\n\"\x00: ............") },
			want: map[string]any{"header-size": int64(8300)}},
		{reason: wire.BodyTooLarge, want: map[string]any{"body-size": int64(4000)}},
		{reason: wire.TrailerTooLarge, want: map[string]any{"trailer-section-size": int64(8193)}},
		{reason: wire.TransferCodingUnsupported},
		{reason: wire.TransferCodingUnsupported, show: true, want: map[string]any{"coding": token(secretBytes)}},
		{reason: wire.TransferCodingUnsupported, show: true, change: func(e *validator.Evidence) { e.Response.Raw = e.Response.Raw[:90] }},
		{reason: wire.TransferCodingUnsupported, show: true, change: func(e *validator.Evidence) { // a token of HTTP alone: RFC 9651 section 3.3.4
			e.Response.Raw = bytes.ReplaceAll(e.Response.Raw, []byte(secretBytes), []byte("7zip"))
		}},
		{reason: validator.ContentCodingCorrupt, want: map[string]any{"coding": token("gzip")}},
		{reason: wire.BareLF},
	} {
		failed := sample(c.reason)
		failed.Verdict.Offset = 27
		if c.change != nil {
			c.change(failed.Evidence)
		}
		a := edge.Answers{}
		if c.show {
			a.Details = everybody
		}
		m := proxyStatusOf(t, answer(&a, asCurl, failed).Header())
		delete(m.params, "error")
		delete(m.params, "details")
		if failed.Evidence.Response != nil {
			assert.Equal(t, int64(200), m.params["received-status"])
			delete(m.params, "received-status")
		}
		if c.want == nil {
			c.want = map[string]any{}
		}
		assert.Equal(t, c.want, m.params, "%v", c.reason)
	}
}

func TestTheStatusOfAnInterimResponseIsNotTheOrigins(t *testing.T) {
	for status, told := range map[int]bool{103: false, 101: true, 200: true, 999: true} {
		failed := sample(wire.BareLF)
		failed.Evidence.Response.Head.Status = status
		_, is := proxyStatusOf(t, answer(new(edge.Answers), asCurl, failed).Header()).params["received-status"]
		assert.Equal(t, told, is, "%d", status)
	}
}

// Whatever the origin had in its words, the field is one that a strict recipient
// reads.
func TestProxyStatusHoldsAnyBytes(t *testing.T) {
	every := new(strings.Builder)
	for b := range 256 {
		every.WriteByte(byte(b))
	}
	failed := sample(wire.BareLF)
	failed.Verdict.Message = every.String() + "é→\U0001F600"
	w := answer(&edge.Answers{Details: everybody, Name: every.String()}, asCurl, failed)
	all, err := parseProxyStatus(w.Header().Get("Proxy-Status"))
	require.NoError(t, err)
	require.Len(t, all, 1)
	assert.Contains(t, all[0].params["details"], "!\"#$%&'()")
}

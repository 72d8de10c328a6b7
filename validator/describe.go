package validator

import (
	"fmt"
	"strings"

	"why520/wire"
)

// describe says what the origin did, with the numbers at hand: one sentence
// without a full stop, bytes of the origin's escaped.
func describe(e *Evidence, r wire.Reason, offset int64) string {
	meaning := r.Info().Meaning
	if e.Response != nil {
		if s := describeResponse(e, r); s != "" {
			return s
		}
		if b, ok := byteAt(e.Response, offset); ok && !r.Info().Note && !ofWholeHead.Has(r) {
			return fmt.Sprintf("%s: 0x%02X at byte %d", meaning, b, offset)
		}
		return meaning
	}
	switch r {
	case DNSFailure, DNSTimeout:
		if e.Name != nil && e.Name.Code != "" {
			return meaning + ": " + e.Name.Code
		}
	case TLSPeerSpeaksPlaintext:
		return fmt.Sprintf("%s: it began with %s", meaning, escape(e.tls().FirstBytes, 32))
	case TLSAlertReceived, TLSVersionOrCipherMismatch, TLSALPNMismatch, TLSClientCertificateRequired:
		if e.tls().Alert != 0 {
			return fmt.Sprintf("%s: alert %d, %s", meaning, e.tls().Alert, alertName(e.tls().Alert))
		}
		if e.End == wire.RST {
			return meaning + ": by a reset"
		}
	case TLSCertificateExpired:
		return fmt.Sprintf("%s, %s to %s", meaning, e.tls().NotBefore, e.tls().NotAfter)
	case TLSCertificateNameMismatch:
		return fmt.Sprintf("%s: it is for %s, and %s was asked for", meaning, list(e.tls().Names), e.tls().ServerName)
	case TLSCertificateUntrusted:
		return fmt.Sprintf("%s; its issuer is %s", meaning, escape([]byte(e.tls().Issuer), 80))
	case wire.ResetAfterRequest, ResetDuringUpload, RequestUnacknowledged, RequestWriteTimeout, wire.FirstByteTimeout:
		if e.Acked >= 0 {
			return fmt.Sprintf("%s (%d of %d bytes acknowledged)", meaning, e.Acked, e.Sent)
		}
	}
	return meaning
}

// tls gives the facts of TLS, none where there are none.
func (e *Evidence) tls() *TLSFacts {
	if e.TLS == nil {
		return new(TLSFacts)
	}
	return e.TLS
}

// ofWholeHead holds the reasons that no single byte explains.
var ofWholeHead = wire.SetOf(wire.NoHeaderFields, wire.Unasked101, wire.LengthAndTransferEncoding,
	wire.ContentLengthConflict, wire.ContentLengthRepeated, wire.TransferCodingUnsupported, wire.TransferCodingInHTTP10)

// describeResponse has the reasons that measures of the response say more of.
func describeResponse(e *Evidence, r wire.Reason) string {
	h, body, limits := e.Response.Head, e.Response.Body, e.Policy.Limits.WithDefaults()
	switch {
	case r == wire.OK && h != nil:
		return fmt.Sprintf("the response is whole and well-formed: status %d, %s", h.Status, content(body))
	case r == wire.OtherProtocolBanner:
		return fmt.Sprintf("the port belongs to another protocol, %s: it began with %s", e.Response.Banner, escape(e.Response.Raw, 40))
	case r == wire.HeadTooLarge && h != nil && h.Complete:
		return fmt.Sprintf("the head is %d bytes, %d more than its budget of %d", h.Size, h.Size-limits.Head, limits.Head)
	case r == wire.HeadEndless:
		return fmt.Sprintf("the head was still going on after %d bytes; its budget is %d", limits.Measure, limits.Head)
	case r == wire.HeadTooLarge:
		return fmt.Sprintf("the head is larger than its budget of %d bytes", limits.Head)
	case (r == wire.FieldLineTooLong || r == wire.StatusLineTooLong) && h != nil:
		return fmt.Sprintf("a line of the head is %d bytes, more than the budget of %d for a line", h.Longest, limits.Line)
	case r == wire.TooManyFields && h != nil:
		return fmt.Sprintf("the head has %d field lines, more than its budget of %d", h.Fields, limits.Fields)
	case r == wire.NearBudget && h != nil:
		return fmt.Sprintf("the head is %d bytes, more than 80 %% of its budget of %d", h.Size, limits.Head)
	case r == wire.TooManyInterim:
		return fmt.Sprintf("more than %d interim (1xx) responses came", limits.Interim)
	case r == ContentCodingCorrupt && body != nil:
		return r.Info().Meaning + ": " + escape([]byte(body.Coding), 80)
	case r == wire.BodyTooLarge:
		return fmt.Sprintf("the content is larger than the budget of %d bytes set for it", limits.Body)
	case body != nil && !body.Complete && e.Response.Reason == r:
		return cut(r, body)
	}
	return ""
}

// cut says how much of the content came.
func cut(r wire.Reason, body *BodyFacts) string {
	if body.Framing == wire.ByLength.String() {
		return fmt.Sprintf("%s: %d of %d bytes came", r.Info().Meaning, body.Bytes, body.Length)
	}
	return fmt.Sprintf("%s (behind %s)", r.Info().Meaning, content(body))
}

func content(b *BodyFacts) string {
	switch {
	case b == nil || b.Framing == "none":
		return "no content"
	case b.Framing == "tunnel":
		return "the connection is a tunnel from there on"
	case b.Bytes == 1:
		return "1 byte of content"
	}
	return fmt.Sprintf("%d bytes of content", b.Bytes)
}

// byteAt gives the byte at that offset of the response, as far as it was kept.
func byteAt(r *Response, offset int64) (byte, bool) {
	if 0 <= offset && offset < int64(len(r.Raw)) {
		return r.Raw[offset], true
	}
	if x := r.Around; x != nil && x.Offset <= offset && offset < x.Offset+int64(len(x.Bytes)) {
		return x.Bytes[offset-x.Offset], true
	}
	return 0, false
}

// escape quotes at most n bytes of b, which nobody vouches for.
func escape(b []byte, n int) string {
	if len(b) > n {
		return fmt.Sprintf("%+q...", b[:n])
	}
	return fmt.Sprintf("%+q", b)
}

func list(names []string) string {
	if len(names) > 3 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:3], ", "), len(names)-3)
	}
	return strings.Join(names, ", ")
}

// alertName gives the name of a TLS alert (RFC 8446 section 6 and IANA's
// registry).
func alertName(n int) string {
	if s := alertNames[n]; s != "" {
		return s
	}
	return "unknown"
}

var alertNames = map[int]string{
	10: "unexpected message", 20: "bad record MAC", 22: "record overflow", 40: "handshake failure",
	42: "bad certificate", 43: "unsupported certificate", 44: "certificate revoked", 45: "certificate expired",
	46: "certificate unknown", 47: "illegal parameter", 48: "unknown CA", 49: "access denied", 50: "decode error",
	51: "decrypt error", 70: "protocol version", 71: "insufficient security", 80: "internal error",
	86: "inappropriate fallback", 90: "user canceled", 109: "missing extension", 110: "unsupported extension",
	112: "unrecognized name", 113: "bad certificate status response", 115: "unknown PSK identity",
	116: "certificate required", 120: "no application protocol",
}

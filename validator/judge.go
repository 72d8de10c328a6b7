package validator

import "why520/wire"

// Judge says what e means under the policy p; nil is the policy that e was read
// under. It is pure: the same evidence has the same verdict, today and from a
// file. Of p's budgets only Body and the tolerated reasons count here, for the
// others were counted while e was read: see Replay.
func Judge(e *Evidence, p *Policy) Verdict {
	if p == nil {
		p = &e.Policy
	}
	v := Verdict{Phase: e.Phase, Offset: -1}
	v.find(e, p)
	if len(v.Findings) > 0 {
		first := v.Findings[0]
		v.Reason, v.Offset, v.Message = first.Reason, first.Offset, orElse(e, first.Message)
		names := NamesOf(v.Reason)
		v.Cause, v.EdgeStatus = names.Cause, names.EdgeStatus
	} else {
		v.Message = describe(e, wire.OK, -1)
		switch { // what was not seen whole is not called so
		case answered(e):
		case e.TCP != nil:
			v.Message = orElse(e, asSeen(e, v.Notes))
		case len(v.Notes) > 0:
			v.Message = v.Notes[0].Message
		}
	}
	return v
}

// answered reports whether all of a response was seen.
func answered(e *Evidence) bool {
	return e.Response != nil && e.Response.Body != nil && e.Response.Body.Complete
}

// find sorts all that e shows into findings, the verdict's first, and notes.
func (v *Verdict) find(e *Evidence, p *Policy) {
	tolerate := p.Limits.WithDefaults().Tolerate
	if e.TLS != nil && p.Insecure {
		for _, r := range e.TLS.Certificate {
			v.note(e, Finding{Reason: r, Offset: -1})
		}
	}
	for _, f := range e.Seen {
		v.note(e, f)
	}
	r := e.Response
	if r == nil {
		for _, reason := range withoutResponse(e) {
			v.refuse(e, Finding{Reason: withCapture(e, reason), Offset: -1})
		}
		return
	}
	for _, f := range r.Found {
		if tolerate.Has(f.Reason) {
			v.note(e, f)
		} else if v.refuse(e, f) {
			v.Phase = PhaseHead // what reading can go on past stands in a head
		}
	}
	switch {
	case r.Reason != wire.OK:
		v.refuse(e, Finding{Reason: withCapture(e, r.Reason), Offset: r.Offset})
	case r.Body != nil && r.Body.Coding != "":
		v.refuse(e, Finding{Reason: ContentCodingCorrupt, Offset: -1})
	case r.Body != nil && r.Body.Complete:
		v.refuse(e, Finding{Reason: afterWhole(e), Offset: -1})
	}
	if h, budget := r.Head, p.Limits.WithDefaults().Head; h != nil && h.Complete && h.Size <= budget && h.Size > budget/5*4 {
		v.note(e, Finding{Reason: wire.NearBudget, Offset: -1})
	}
}

// refuse adds f to what is refused; evidence from a file may call a note so,
// which then stays one.
func (v *Verdict) refuse(e *Evidence, f Finding) bool {
	switch {
	case f.Reason == wire.OK || f.Reason == wire.ErrIncomplete:
		return false
	case f.Reason.Info().Note:
		v.note(e, f)
		return false
	}
	v.Findings = append(v.Findings, described(e, f))
	return true
}

func (v *Verdict) note(e *Evidence, f Finding) { v.Notes = append(v.Notes, described(e, f)) }

func described(e *Evidence, f Finding) Finding {
	if f.Message == "" {
		f.Message = describe(e, f.Reason, f.Offset)
	}
	return f
}

// withoutResponse gives what e shows where no byte of a response came: as a
// rule one reason, of a certificate perhaps several.
func withoutResponse(e *Evidence) []wire.Reason {
	one := func(r wire.Reason) []wire.Reason { return []wire.Reason{r} }
	if e.End == wire.Open && e.TCP != nil {
		return nil // it goes on, or it was the client that ended it
	}
	switch e.Phase {
	case PhaseDNS:
		if e.End == NameTimeout {
			return one(DNSTimeout)
		}
		return one(DNSFailure)
	case PhaseConnect:
		return one(notConnected(e.End))
	case PhaseTLS:
		if e.End == Certificate && e.TLS != nil {
			return e.TLS.Certificate
		}
		return one(notEncrypted(e))
	case PhaseIdle: // it came, and its bytes were not kept
		return one(afterWhole(e))
	}
	switch e.End {
	case wire.Open:
		return nil
	case wire.Timeout, wire.Deadline:
		return one(unanswered(e))
	}
	return one(brokenOff(e))
}

// notConnected gives the reason of an end before the TCP handshake was complete.
func notConnected(end wire.End) wire.Reason {
	switch end {
	case Refused:
		return ConnectionRefused
	case NoRoute:
		return Unroutable
	case wire.Timeout, wire.Deadline:
		return ConnectionTimeout
	}
	return ResetBeforeRequest // it surfaced from connect itself
}

// notEncrypted gives the reason of an end within the TLS handshake.
func notEncrypted(e *Evidence) wire.Reason {
	switch {
	case e.End == NotTLS:
		return TLSPeerSpeaksPlaintext
	case e.End == ALPN:
		return TLSALPNMismatch
	case e.End == wire.Timeout, e.End == wire.Deadline:
		return TLSHandshakeTimeout
	case wantedCertificate(e):
		return TLSClientCertificateRequired
	case e.End == Version:
		return TLSVersionOrCipherMismatch
	case e.End == Alert:
		switch e.tls().Alert {
		case 40, 70, 71:
			return TLSVersionOrCipherMismatch
		case 120:
			return TLSALPNMismatch
		}
		return TLSAlertReceived
	case e.End == wire.RST:
		return TLSResetInHandshake
	}
	return TLSClosedInHandshake
}

// wantedCertificate reports whether the origin broke off for want of a client
// certificate: it asked for one, and none was given or the alert is about
// certificates (RFC 8446 section 6.2: 42 to 49, and 116).
func wantedCertificate(e *Evidence) bool {
	t := e.TLS
	if t == nil || !t.Asked {
		return false
	}
	about := e.End == Alert && (42 <= t.Alert && t.Alert <= 49 || t.Alert == 116)
	return about || !t.Given
}

// unanswered gives the reason of silence after the connection was ready: by
// what the origin's TCP acknowledged.
func unanswered(e *Evidence) wire.Reason {
	switch {
	case e.Sent > 0 && e.Acked == 0:
		return RequestUnacknowledged
	case !acknowledged(e):
		return RequestWriteTimeout
	}
	return wire.FirstByteTimeout
}

// acknowledged reports whether the whole request was sent and acknowledged, as
// far as that is known.
func acknowledged(e *Evidence) bool {
	return e.Phase != PhaseRequest && (e.Acked < 0 || e.Acked >= e.Sent)
}

// brokenOff gives the reason of a reset or close after the connection was
// ready.
func brokenOff(e *Evidence) wire.Reason {
	nothing := e.Acked == 0
	switch {
	case e.Reused && nothing:
		return ReusedConnectionWasDead
	case wantedCertificate(e):
		return TLSClientCertificateRequired
	case e.TLS != nil && e.End == wire.RST:
		return TLSResetAfterHandshake
	case e.TLS != nil:
		return TLSClosedWithoutAByte
	case e.End == wire.RST && nothing:
		return ResetBeforeRequest
	case e.End == wire.RST && !acknowledged(e):
		return ResetDuringUpload
	case e.End == wire.RST:
		return wire.ResetAfterRequest
	case nothing:
		return ClosedBeforeRequest
	}
	return wire.ClosedWithoutAByte
}

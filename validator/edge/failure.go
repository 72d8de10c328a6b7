package edge

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"time"

	"why520/validator"
	"why520/validator/report"
)

// A Failure is what is told of a request that its origin did not answer. All but
// Seen is fit for every visitor.
type Failure struct {
	Status  int
	Reason  string // the verdict's token, or one of those below
	Cause   string // the verdict's, or Reason
	Meaning string // of Reason, in a sentence of the RFCs' words without a full stop; empty where there is no verdict
	ID      string // to quote: the evidence's, where there is some
	Time    time.Time
	Proxy   string // Answers.Name
	Contact string // Answers.Contact
	Words

	Seen *Seen // for operators; nil: not shown

	failed     *validator.Error // nil: the error had no verdict
	proxyError string           // type of RFC 9209 section 2.3
}

// Reasons of failures that have no verdict.
const (
	RequestFault    = "request-content"  // what the client sent is malformed, too large or did not come; nothing is said of the origin
	ConnectionLimit = "connection-limit" // no connection came free in time; nothing is said of the origin
	LocalFault      = "local-fault"      // of this machine; nothing is said of the origin
	Unknown         = "unknown"          // the transport gave an error of another kind
	UnknownTimeout  = "unknown-timeout"  // the same, and it is a timeout
)

// Seen is what was seen of an exchange.
type Seen struct {
	Record report.Record
	Lines  []string // the response's first bytes, or those around the fault, escaped, with offsets
	Fault  int      // the one of Lines with the byte at fault; -1: none
	Times  []Span   // the phases that took time, in order
}

// A Span is how long a phase took.
type Span struct {
	Phase    string
	Time     time.Duration
	X, Width float64 // when it began and how long it took, in percent of the whole
}

// Milliseconds gives the time, with one decimal.
func (s Span) Milliseconds() string { return fmt.Sprintf("%.1f", s.Time.Seconds()*1000) }

// failure makes out what to tell of err.
func (a *Answers) failure(r *http.Request, err error) *Failure {
	f := &Failure{Time: time.Now().UTC(), Proxy: a.name(), Contact: a.Contact}
	sent, local, waited := new(validator.ContentError), new(validator.LocalError), net.Error(nil)
	switch failed := new(validator.Error); {
	case errors.As(err, &failed):
		names := validator.NamesOf(failed.Verdict.Reason)
		f.failed, f.Reason, f.Cause = failed, failed.Verdict.Reason.String(), string(names.Cause)
		f.Status, f.proxyError, f.Meaning = names.EdgeStatus, names.ProxyStatus, failed.Verdict.Reason.Info().Meaning
		if failed.Evidence != nil {
			f.ID = failed.Evidence.ID
		}
	case errors.As(err, &sent):
		f.Status, f.Reason, f.proxyError = faultOf(sent), RequestFault, "http_request_error"
	case errors.Is(err, validator.ErrConnectionLimit):
		f.Status, f.Reason, f.proxyError = http.StatusServiceUnavailable, ConnectionLimit, "connection_limit_reached"
	case errors.As(err, &local):
		f.Status, f.Reason, f.proxyError = http.StatusInternalServerError, LocalFault, "proxy_internal_error"
	case errors.As(err, &waited) && waited.Timeout():
		f.Status, f.Reason, f.proxyError = http.StatusGatewayTimeout, UnknownTimeout, "http_response_timeout"
	default:
		f.Status, f.Reason, f.proxyError = http.StatusBadGateway, Unknown, "http_protocol_error"
	}
	if f.Status == 0 { // an OK or a note is no failure: whoever made an error of it is at fault
		f.Status, f.proxyError = http.StatusInternalServerError, "proxy_internal_error"
	}
	if a.Gateway && f.failed != nil {
		f.Status = recommended(f.proxyError)
	}
	if f.Cause == "" {
		f.Cause = f.Reason
	}
	if f.ID == "" {
		f.ID = newID()
	}
	f.Words = wordsFor(f, r.Method)
	if f.failed != nil && f.failed.Evidence != nil && a.Details != nil && a.Details(r) {
		f.Seen = see(f.failed)
	}
	return f
}

// faultOf gives the status for content that a client should have sent.
func faultOf(err *validator.ContentError) int {
	tooLarge, waited := new(http.MaxBytesError), net.Error(nil)
	switch {
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge
	case errors.As(err, &waited) && waited.Timeout():
		return http.StatusRequestTimeout
	}
	return http.StatusBadRequest
}

func (a *Answers) name() string {
	if a.Name == "" {
		return "why520"
	}
	return a.Name
}

// newID gives an ID like those of evidence.
func newID() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // it never fails
	return hex.EncodeToString(b[:])
}

// see gathers what an operator is shown.
func see(failed *validator.Error) *Seen {
	e, v := failed.Evidence, failed.Verdict
	s := &Seen{Record: report.JSON(e, v), Fault: -1, Times: spans(e.Timing)}
	if r := e.Response; r != nil {
		bytes, first := r.Raw[:min(len(r.Raw), 1024)], int64(0)
		if x := r.Around; x != nil && v.Offset >= int64(len(r.Raw)) {
			bytes, first = x.Bytes, x.Offset
		}
		s.Lines = report.Lines(bytes, first)
		for i, line := range s.Lines {
			var at int64
			if _, err := fmt.Sscan(line, &at); err == nil && at <= v.Offset {
				s.Fault = i
			}
		}
	}
	return s
}

// spans gives the phases that took time.
func spans(t validator.Timing) []Span {
	phases := []time.Duration{t.DNS, t.Connect, t.TLS, t.Request, t.Wait, t.Head, t.Body}
	var whole, at time.Duration
	for _, d := range phases {
		whole += d
	}
	var all []Span
	percent := func(d time.Duration) float64 { return math.Round(1000*float64(d)/float64(whole)) / 10 }
	for i, d := range phases {
		if d > 0 {
			all = append(all, Span{validator.Phase(i).String(), d, percent(at), percent(d)})
			at += d
		}
	}
	return all
}

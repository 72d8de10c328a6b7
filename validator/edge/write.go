package edge

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"why520/validator/report"
)

// write answers with f in the form that the client prefers.
func (a *Answers) write(w http.ResponseWriter, r *http.Request, f *Failure) {
	var content []byte
	h := w.Header()
	for _, ofAnother := range []string{"Content-Encoding", "Content-Range", "Etag", "Last-Modified", "Accept-Ranges", "Expires"} {
		h.Del(ofAnother)
	}
	policy := "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	switch negotiate(r.Header["Accept"]) {
	case page:
		h.Set("Content-Type", "text/html; charset=utf-8")
		content, policy = a.page(f, policy)
	case problem:
		h.Set("Content-Type", "application/problem+json")
		content = a.problem(f)
	default:
		h.Set("Content-Type", "text/plain; charset=utf-8")
		content = a.text(f)
	}
	h.Set("Content-Security-Policy", policy)
	h.Set("Content-Length", strconv.Itoa(len(content)))
	h.Set("Content-Language", "en")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Robots-Tag", "noindex")
	h.Set("Referrer-Policy", "no-referrer")
	h.Add("Vary", "Accept")
	if f.retry > 0 {
		h.Set("Retry-After", strconv.Itoa(f.retry))
	}
	w.WriteHeader(f.Status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(content) // a client that has gone needs no page
	}
}

// A problemDocument is a problem as RFC 9457 has it, with members of ours.
type problemDocument struct {
	Type     string         `json:"type"`
	Title    string         `json:"title"`
	Status   int            `json:"status"`
	Detail   string         `json:"detail"`
	Instance string         `json:"instance"`
	ID       string         `json:"id"`
	Reason   string         `json:"reason"`
	Cause    string         `json:"cause"`
	Meaning  string         `json:"meaning,omitempty"` // of the reason
	Time     time.Time      `json:"time"`
	Contact  string         `json:"contact,omitempty"`
	Verdict  *report.Record `json:"verdict,omitempty"` // as `why520 check --json` prints it; for operators
}

func (a *Answers) problem(f *Failure) []byte {
	types := a.Types
	if types == "" {
		types = "urn:why520:reason:"
	}
	d := problemDocument{
		Type: types + f.Reason, Title: f.Title, Status: f.Status, Detail: f.What, Instance: "urn:why520:id:" + f.ID,
		ID: f.ID, Reason: f.Reason, Cause: f.Cause, Meaning: f.Meaning, Time: f.Time, Contact: f.Contact,
	}
	if f.Seen != nil {
		d.Verdict = &f.Seen.Record
	}
	content, err := json.MarshalIndent(d, "", "  ")
	if err != nil { // a Record is numbers and text
		panic(err)
	}
	return append(content, '\n')
}

// text tells f to who reads it in a terminal.
func (a *Answers) text(f *Failure) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%d %s\n%s.\n\n%s\n%s\n\nFor the owner: ", f.Status, f.Reason, f.Title, f.What, f.Visitor)
	if f.Meaning != "" {
		fmt.Fprintf(&b, "%s. ", f.Meaning)
	}
	fmt.Fprintf(&b, "%s\n\n", f.Owner)
	if f.Contact != "" {
		fmt.Fprintf(&b, "contact %s\n", f.Contact)
	}
	fmt.Fprintf(&b, "id      %s\ntime    %s\n", f.ID, f.Time.Format(time.RFC3339))
	if s := f.Seen; s != nil {
		fmt.Fprintf(&b, "seen    %s\n", s.Record.Message)
		if s.Record.Address != "" {
			fmt.Fprintf(&b, "address %s\n", s.Record.Address)
		}
		if s.Record.Remedy != "" {
			fmt.Fprintf(&b, "do      %s\n", s.Record.Remedy)
		}
		for _, line := range s.Lines {
			fmt.Fprintf(&b, "%s\n", line)
		}
	}
	return b.Bytes()
}

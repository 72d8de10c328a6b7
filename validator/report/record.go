package report

import (
	"fmt"
	"time"

	"why520/validator"
	"why520/wire"
)

// A Record is a verdict with its evidence, as the command's --json prints it.
// Its form is a contract: fields may be added, none changes its meaning.
type Record struct {
	V          int       `json:"v"` // 1
	ID         string    `json:"id"`
	Target     string    `json:"target,omitempty"`
	Address    string    `json:"address,omitempty"`
	OK         bool      `json:"ok"`
	Reason     string    `json:"reason"`
	Cause      string    `json:"cause,omitempty"`
	EdgeStatus int       `json:"edge_status,omitempty"`
	Phase      string    `json:"phase"`
	Offset     *int64    `json:"offset,omitempty"` // absent where no byte is at fault
	Message    string    `json:"message"`
	Remedy     string    `json:"remedy,omitempty"`
	RFC        string    `json:"rfc,omitempty"`
	Findings   []Finding `json:"findings,omitempty"`
	Notes      []Finding `json:"notes,omitempty"`
	End        string    `json:"end"` // fin, rst, timeout, open, error
	Reused     bool      `json:"reused"`
	Attempts   int       `json:"attempts"`
	Bytes      *Bytes    `json:"bytes,omitempty"`
	Head       *Head     `json:"head,omitempty"`
	Body       *Body     `json:"body,omitempty"`
	FirstBytes string    `json:"first_bytes,omitempty"`
	TLS        *TLS      `json:"tls,omitempty"`
	TCP        *TCP      `json:"tcp,omitempty"`
	Timing     *Timing   `json:"timing,omitempty"` // absent where nothing was timed
	Names      *Names    `json:"names,omitempty"`
}

// A Finding is a violation or a note.
type Finding struct {
	Reason   string `json:"reason"`
	Offset   *int64 `json:"offset,omitempty"`
	Severity string `json:"severity,omitempty"` // fail, of findings
	Message  string `json:"message"`
}

// Bytes counts TCP payload since the request began.
type Bytes struct {
	Sent     int64  `json:"sent"`
	Acked    *int64 `json:"acked,omitempty"` // absent where it is not known
	Received int64  `json:"received"`
}

// Head measures the last head.
type Head struct {
	Version string                `json:"version"`
	Status  int                   `json:"status"`
	Fields  int                   `json:"fields"`
	Size    int                   `json:"size"`
	Budget  int                   `json:"budget"`
	Largest []validator.FieldSize `json:"largest,omitempty"`
	Edges   []Edge                `json:"edges,omitempty"`
}

// Edge says whether an edge would pass the head.
type Edge struct {
	Edge  string `json:"edge"`
	Pass  bool   `json:"pass"`
	Limit string `json:"limit,omitempty"` // that is in the way
}

// Body measures the content.
type Body struct {
	Framing  string `json:"framing"`
	Bytes    int64  `json:"bytes"`
	SHA256   string `json:"sha256,omitempty"`
	Complete bool   `json:"complete"`
}

// TLS is what the handshake showed.
type TLS struct {
	Version   string `json:"version,omitempty"`
	Cipher    string `json:"cipher,omitempty"`
	Alert     int    `json:"alert,omitempty"`
	Requested bool   `json:"client_certificate_requested"`
}

// TCP is what a capture adds.
type TCP struct {
	ResetBy    string   `json:"reset_by"`
	Stage      string   `json:"stage"`
	Confidence string   `json:"confidence"`
	Evidence   []string `json:"evidence"`
}

// Timing has the durations of the phases in seconds.
type Timing struct {
	DNS     float64 `json:"dns"`
	Connect float64 `json:"connect"`
	TLS     float64 `json:"tls"`
	Request float64 `json:"request"`
	Wait    float64 `json:"wait"`
	Head    float64 `json:"head"`
	Body    float64 `json:"body"`
	Total   float64 `json:"total"`
}

// Names are what other vocabularies call the reason.
type Names struct {
	ProxyStatus string `json:"proxy_status"`
	NEL         string `json:"nel"`
	OTel        string `json:"otel"`
	CurlExit    int    `json:"curl_exit"`
}

// firstBytes is how much of the response FirstBytes shows.
const firstBytes = 256

// JSON gives the record of a verdict.
func JSON(e *validator.Evidence, v *validator.Verdict) Record {
	r := Record{
		V: 1, ID: e.ID, Target: e.Target, Address: e.Address, OK: v.OK(), Reason: v.Reason.String(), Cause: string(v.Cause),
		EdgeStatus: v.EdgeStatus, Phase: v.Phase.String(), Offset: offset(v.Offset), Message: v.Message,
		RFC: v.Reason.Info().RFC, End: endWord(e.End), Reused: e.Reused, Attempts: e.Attempts,
	}
	if !v.OK() {
		names := validator.NamesOf(v.Reason)
		r.Remedy = validator.Remedy(v.Reason)
		r.Names = &Names{names.ProxyStatus, names.NEL, v.Reason.String(), names.CurlExit}
	}
	for _, f := range v.Findings {
		r.Findings = append(r.Findings, Finding{f.Reason.String(), offset(f.Offset), "fail", f.Message})
	}
	for _, f := range v.Notes {
		r.Notes = append(r.Notes, Finding{f.Reason.String(), offset(f.Offset), "", f.Message})
	}
	r.Bytes = &Bytes{Sent: e.Sent, Received: e.Received}
	if e.Acked >= 0 {
		r.Bytes.Acked = &e.Acked
	}
	if e.Response != nil {
		r.response(e)
	}
	if t := e.TLS; t != nil {
		r.TLS = &TLS{t.Version, t.Cipher, t.Alert, t.Asked}
	}
	if t := e.TCP; t != nil {
		r.TCP = &TCP{t.ResetBy, t.Stage, t.Confidence, append([]string{}, t.Evidence...)}
	}
	if t := e.Timing; t != (validator.Timing{}) {
		s := time.Duration.Seconds
		r.Timing = &Timing{s(t.DNS), s(t.Connect), s(t.TLS), s(t.Request), s(t.Wait), s(t.Head), s(t.Body), s(t.Total)}
	}
	return r
}

// response fills in what the response showed.
func (r *Record) response(e *validator.Evidence) {
	from := e.Response
	r.FirstBytes = escape(from.Raw[:min(len(from.Raw), firstBytes)])
	if h := from.Head; h != nil {
		r.Head = &Head{
			Version: fmt.Sprintf("1.%d", h.Minor), Status: h.Status, Fields: h.Fields, Size: h.Size,
			Budget: e.Policy.Limits.WithDefaults().Head, Largest: h.Largest,
		}
		if h.Complete {
			r.Head.Edges = edgesFor(from)
		}
	}
	if b := from.Body; b != nil {
		r.Body = &Body{b.Framing, b.Bytes, b.SHA256, b.Complete}
	}
}

func edgesFor(r *validator.Response) []Edge {
	var all []Edge
	for _, e := range validator.Edges() {
		pass, limit := e.Passes(r)
		all = append(all, Edge{e.Name, pass, limit})
	}
	return all
}

func offset(at int64) *int64 {
	if at < 0 {
		return nil
	}
	return &at
}

// endWord gives the contract's word for an end.
func endWord(e wire.End) string {
	switch e {
	case wire.Open:
		return "open"
	case wire.FIN, wire.Truncated:
		return "fin"
	case wire.RST, validator.Refused:
		return "rst"
	case wire.Timeout, wire.Deadline, validator.NameTimeout:
		return "timeout"
	}
	return "error"
}

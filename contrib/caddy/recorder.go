package why520

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/caddyserver/caddy/v2"

	"why520/validator"
)

func init() { caddy.RegisterModule(Admin{}) }

// A Recorder keeps the evidence of the last exchanges that failed. Transports whose
// Recorders are alike share one, which outlives a reload.
type Recorder struct {
	Most      int `json:"most,omitempty"`       // pieces of evidence; default: 256
	MostBytes int `json:"most_bytes,omitempty"` // of them, about; default: 8 MiB
}

// recorders has those in use, by their Recorder.
var recorders = caddy.NewUsagePool()

// kept is a recorder in a pool.
type kept struct{ *validator.Recorder }

// Destruct implements caddy.Destructor.
func (kept) Destruct() error { return nil }

// share gives the recorder for r, and the key to release it by.
func (r Recorder) share() (*validator.Recorder, any) {
	v, _ := recorders.LoadOrStore(r, kept{&validator.Recorder{Most: r.Most, MostBytes: r.MostBytes}})
	return v.(kept).Recorder, r
}

// release lets go of what a pool has by that key; nil: there is nothing.
func release(pool *caddy.UsagePool, key any) error {
	if key == nil {
		return nil
	}
	_, err := pool.Delete(key)
	return err
}

// Admin gives what recorders keep, at Caddy's admin endpoint, as
// `why520 judge` takes it:
//
//	GET /why520/evidence       the IDs, one a line, the oldest first
//	GET /why520/evidence/ID
type Admin struct{}

// CaddyModule says what a is.
func (Admin) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "admin.api.why520", New: func() caddy.Module { return new(Admin) }}
}

// Routes implements caddy.AdminRouter.
func (a Admin) Routes() []caddy.AdminRoute {
	return []caddy.AdminRoute{
		{Pattern: "/why520/evidence", Handler: caddy.AdminHandlerFunc(a.list)},
		{Pattern: "/why520/evidence/", Handler: caddy.AdminHandlerFunc(a.evidence)},
	}
}

func (Admin) list(w http.ResponseWriter, r *http.Request) error {
	if err := reads(r); err != nil {
		return err
	}
	var ids strings.Builder
	recorders.Range(func(_, v any) bool {
		for _, e := range v.(kept).All() {
			ids.WriteString(e.ID + "\n")
		}
		return true
	})
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, err := w.Write([]byte(ids.String()))
	return err
}

func (Admin) evidence(w http.ResponseWriter, r *http.Request) error {
	if err := reads(r); err != nil {
		return err
	}
	id := strings.TrimPrefix(r.URL.Path, "/why520/evidence/")
	var found *validator.Evidence
	recorders.Range(func(_, v any) bool {
		found = v.(kept).Lookup(id)
		return found == nil
	})
	if found == nil {
		return caddy.APIError{HTTPStatus: http.StatusNotFound, Message: "no evidence of that ID is kept"}
	}
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(found)
}

func reads(r *http.Request) error {
	if r.Method != http.MethodGet {
		return caddy.APIError{HTTPStatus: http.StatusMethodNotAllowed, Message: "method not allowed"}
	}
	return nil
}

var _ caddy.AdminRouter = Admin{}

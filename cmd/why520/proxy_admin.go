package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"why520/validator"
	"why520/validator/report"
)

// admin gives what operators are served, on a listener of its own, so that no
// path of an origin is taken.
func (s *proxyServer) admin() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", s.metrics.handler())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		if s.draining.Load() {
			http.Error(w, "ending", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	mux.HandleFunc("GET /verdicts", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/jsonl")
		for _, e := range slices.Backward(s.recorder.All()) {
			writeJSON(w, recordOf(e), "")
		}
	})
	mux.HandleFunc("GET /verdicts/{id}", func(w http.ResponseWriter, r *http.Request) {
		if e := s.recorded(w, r); e != nil {
			writeJSON(w, recordOf(e), "  ")
		}
	})
	mux.HandleFunc("GET /verdicts/{id}/evidence", func(w http.ResponseWriter, r *http.Request) {
		if e := s.recorded(w, r); e != nil {
			writeJSON(w, e, "")
		}
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "/metrics                for Prometheus\n/healthz                200, or 503 while ending\n"+
			"/verdicts               the last failures, the latest first\n/verdicts/ID            one of them, by the ID on its page\n"+
			"/verdicts/ID/evidence   what `why520 judge` reads\n")
	})
	return mux
}

// recorded gives the evidence that is asked for, or answers that it is gone.
func (s *proxyServer) recorded(w http.ResponseWriter, r *http.Request) *validator.Evidence {
	e := s.recorder.Lookup(r.PathValue("id"))
	if e == nil {
		http.Error(w, "no failure of this ID is recorded (any more); the log has its line", http.StatusNotFound)
		return nil
	}
	w.Header().Set("Content-Type", "application/json")
	return e
}

func recordOf(e *validator.Evidence) report.Record {
	v := validator.Judge(e, nil)
	return report.JSON(e, &v)
}

func writeJSON(w http.ResponseWriter, v any, indent string) {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", indent)
	_ = encoder.Encode(v) // what fails is the operator's connection
}

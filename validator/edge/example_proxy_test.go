package edge_test

import (
	"log"
	"log/slog"
	"net/http"
	"net/url"

	"why520/validator"
	"why520/validator/edge"
)

func Example_proxy() {
	origin, _ := url.Parse("http://192.0.2.10")
	online := new(edge.AlwaysOnline)
	proxy := &edge.Handler{
		Origin: origin,
		Transport: &validator.Transport{
			HoldContent: 64 << 10, // faults of content up to here become a page, too
			OnVerdict: func(r *http.Request, e *validator.Evidence, v *validator.Verdict) {
				if !v.OK() {
					slog.Error(v.Message, "reason", v.Reason.String(), "id", e.ID, "url", r.URL.String())
				}
			},
		},
		Answers: edge.Answers{Good: online.Keep, Stale: online.Serve},
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:8080", online.Handler(proxy)))
}

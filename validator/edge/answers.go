package edge

import (
	"context"
	"errors"
	"html/template"
	"log/slog"
	"net/http"

	"why520/validator"
)

// Answers say how failures are answered. The zero Answers is ready; its fields
// must not change while it is used, and it may be used by many goroutines at once.
type Answers struct {
	// Name is this proxy's in Proxy-Status; empty: "why520".
	Name string

	// Gateway answers with what RFC 9209 recommends for the type of error,
	// mostly 502 and 504, in the place of 520 to 526 and 530, which not every
	// client knows.
	Gateway bool

	// Contact is whom to tell, as text: "support@example.com".
	Contact string

	// Types is what the type of a problem begins with, the reason's token
	// following; empty: "urn:why520:reason:".
	Types string

	// Details says who is shown what was seen of the origin: addresses,
	// messages, bytes (secrets masked). It is asked with the request to the
	// origin, so the field that it looks for must be passed on. nil: nobody.
	Details func(*http.Request) bool

	// Page is executed with a *Failure in the place of the built-in page. It
	// may have no script and no resource of elsewhere: the policy sent with it
	// forbids both.
	Page *template.Template

	// Logger is told of every failure; nil is silence.
	Logger *slog.Logger

	// Trailers lets a Proxy-Status trailer tell of content that fails, where the
	// client takes trailers (TE), speaks HTTP/2 and is no browser, and the
	// content falls short of a Content-Length. Such a response is malformed by
	// RFC 9113 section 8.1.1, and curl and Go's client refuse it; but a client
	// that does not count (Firefox 153 did not) takes it for whole. Where false,
	// and in all other cases, the response is cut without a word.
	Trailers bool

	// Good, if set, is shown each response that is about to be passed on, and
	// may put its own reader around the content: the place to store copies. Its
	// Read fails with what the transport's fails with where the content does.
	// An error is handed to ErrorHandler.
	Good func(*http.Response) error

	// Stale, if set, may answer a request that failed with a verdict in the
	// place of the failure page, with a copy of an earlier response: it then
	// reports true. Proxy-Status stands in the header already. Where it reports
	// false it must have written nothing. The request is the one that Good's
	// response answers, to the origin.
	Stale func(http.ResponseWriter, *http.Request, *validator.Verdict) bool
}

// ErrorHandler answers for a request that failed with err. It is for
// httputil.ReverseProxy's field of that name. A *validator.Error has the status
// of its verdict; what the client cancelled, 499, which only logs see; content that
// the client did not send as it should (validator.ContentError) 400, 408 or 413;
// faults of this machine 500; everything else 502, or 504 for a timeout.
func (a *Answers) ErrorHandler(w http.ResponseWriter, r *http.Request, err error) {
	if cancelled(err) {
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(statusCancelled)
		return
	}
	f := a.failure(r, err)
	a.log(r, f, err)
	w.Header().Add("Proxy-Status", a.proxyStatus(f))
	if f.failed != nil && a.Stale != nil && a.Stale(w, r, f.failed.Verdict) {
		return
	}
	a.write(w, r, f)
}

// statusCancelled is what access logs know from nginx for a client that did not
// wait.
const statusCancelled = 499

// cancelled reports whether the client did not wait, so that nothing is known of
// the origin.
func cancelled(err error) bool {
	failed := new(validator.Error)
	return errors.Is(err, context.Canceled) && !errors.As(err, &failed)
}

// log tells of a failure.
func (a *Answers) log(r *http.Request, f *Failure, err error) {
	if a.Logger == nil {
		return
	}
	fields := []slog.Attr{
		slog.String("id", f.ID), slog.Int("status", f.Status), slog.String("reason", f.Reason),
		slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.String("error", err.Error()),
	}
	if f.failed != nil {
		fields = append(fields, slog.String("cause", f.Cause), slog.String("phase", f.failed.Verdict.Phase.String()),
			slog.Int64("offset", f.failed.Verdict.Offset))
	}
	what := "the origin failed"
	switch f.Reason {
	case RequestFault:
		what = "the request's content failed"
	case ConnectionLimit, LocalFault:
		what = "the origin could not be asked"
	}
	a.Logger.LogAttrs(r.Context(), slog.LevelWarn, what, fields...)
}

package edge

import (
	"log/slog"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"why520/validator"
)

// An AlwaysOnline keeps the last good response to each GET, and serves it where
// the origin fails later. What may be kept, and be served again, follows RFC 9111
// for a shared cache. The zero AlwaysOnline is ready, and keeps copies in memory;
// its fields must not change while it is used, and it may be used by many
// goroutines at once.
//
// Keep is shown every response, and Serve is asked for every failure:
//
//	online := new(edge.AlwaysOnline)
//	answers := edge.Answers{Good: online.Keep, Stale: online.Serve}
//	proxy := &httputil.ReverseProxy{ErrorHandler: answers.ErrorHandler, ModifyResponse: answers.ModifyResponse, ...}
//	http.ListenAndServe(":8080", online.Handler(proxy))
//
// # Which responses are kept
//
// Good ones: 200, 203, 204, 300, 301 and 308, and 302, 303 and 307 that say how
// long they are fresh. A response that fails keeps the copy before it. The copy is
// removed where the origin says that it is not valid any more: by 404, 410 or 451, by
// a newer response, 304 among them, that is for no shared cache (no-store, private,
// no-cache, Vary: *) or could never be served, by an answer to HEAD that is about
// other content (RFC 9111 section 4.3.5), and after a request that changes something
// (section 4.4). GET with content is left alone, for who knows what its content means.
//
// In two points it is stricter than RFC 9111, for the price of an error is another
// person's page. A response that sets a cookie is kept only if it is public, or
// has an s-maxage, and without the cookie. A request with a cookie is to name
// a lifetime or be public in its response, or have Vary: Cookie.
//
// # When a copy is served
//
// While it is fresh, and when it is stale unless must-revalidate, proxy-revalidate
// or s-maxage forbids that (RFC 9111 section 4.2.4), for as long as its
// stale-if-error (RFC 5861) or else MaxStale allows. A client that sends
// Cache-Control: no-cache gets none; its max-stale and stale-if-error are limits,
// too. Its max-age is not one: what a browser's reload sends, and the origin was
// asked.
//
// The copy has Age, Cache-Status (RFC 9211), and one of
//
//	Warning: 110 why520 "Response is Stale"
//	Warning: 111 why520 "Revalidation Failed"
//
// the latter while it is fresh. RFC 9111 section 5.5 made that field obsolete
// because few read it. It is sent here because no other field says the same, and
// logs and scripts that do read it need not compute ages. Conditional requests have 304 and ranges 206, as
// http.ServeContent gives them.
type AlwaysOnline struct {
	// Store keeps the copies; nil: a MemoryStore of this AlwaysOnline alone.
	Store Store

	// EdgeStatuses are the verdicts' for which a copy is served; nil: 520 alone.
	EdgeStatuses []int

	// MaxSize is how many bytes of content one copy has at most; 0: 4 MiB.
	// Content that is not yet at its end is held besides what the store has,
	// in 64 MiB of memory at most; what comes above that is not kept.
	MaxSize int64

	// MaxStale is how long after its freshness ended a copy is served that has
	// no stale-if-error; 0: 30 days.
	MaxStale time.Duration

	// Banner puts a line that says so at the top of stored pages: below the
	// body tag of HTML without a content coding, where no-transform does not
	// forbid it. Such a page has no validators and is for no cache, so that the
	// line does not outlive the failure.
	Banner bool

	// Name is this proxy's in Cache-Status and Warning; empty: "why520".
	Name string

	// Logger is told what could not be kept; nil is silence.
	Logger *slog.Logger

	own       MemoryStore
	held      atomic.Int64 // bytes of content that is not yet at its end
	confirmed confirmed
	forgotten forgotten
}

// Serve answers r with the stored copy, and reports true; or writes nothing and
// reports false, where there is none, or none that may be served, or v is not among
// EdgeStatuses. Fields that stand in w's header stay, but for those that the copy
// has. It is for Answers.Stale.
func (a *AlwaysOnline) Serve(w http.ResponseWriter, r *http.Request, v *validator.Verdict) bool {
	if v == nil || v.OK() || !a.serves(v.EdgeStatus) || r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	now := time.Now()
	q := askedBy(r)
	if q.withContent() {
		return false
	}
	c := a.load(q)
	if c == nil || !c.servable(now, directivesOf(q.header), a.maxStale()) {
		return false
	}
	a.write(w, q.request, c, now, v)
	return true
}

func (a *AlwaysOnline) serves(status int) bool {
	if a.EdgeStatuses == nil {
		return status == 520
	}
	return slices.Contains(a.EdgeStatuses, status)
}

func (a *AlwaysOnline) store() Store {
	if a.Store == nil {
		return &a.own
	}
	return a.Store
}

func (a *AlwaysOnline) maxSize() int64 {
	if a.MaxSize == 0 {
		return 4 << 20
	}
	return a.MaxSize
}

func (a *AlwaysOnline) maxStale() time.Duration {
	if a.MaxStale == 0 {
		return 30 * 24 * time.Hour
	}
	return a.MaxStale
}

func (a *AlwaysOnline) name() string {
	if a.Name == "" {
		return "why520"
	}
	return a.Name
}

func (a *AlwaysOnline) warn(what string, err error) {
	if a.Logger != nil {
		a.Logger.Warn(what, slog.Any("error", err))
	}
}

package edge_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"why520/validator/edge"
	"why520/wire"

	"github.com/stretchr/testify/assert"
)

func TestTheClientChoosesTheForm(t *testing.T) {
	const text, page, problem = "text/plain; charset=utf-8", "text/html; charset=utf-8", "application/problem+json"
	for _, c := range []struct{ accept, want string }{
		{asBrowser, page},
		{asProgram, problem},
		{asCurl, text},
		{"", text},
		{"application/problem+json", problem},
		{"application/json, text/plain, */*", problem}, // axios
		{"application/json, text/javascript, */*; q=0.01", problem},
		{"text/plain, application/json", text},
		{"text/html;q=0.5, application/json;q=0.9", problem},
		{"text/html;q=0.9, application/json;q=0.5", page},
		{"text/html;q=0, */*", text},
		{"text/html, text/plain;q=0.1, application/json;q=0.1, */*;q=1", page},
		{"text/*", text},
		{"text/*;q=0.3, application/*;q=0.4", problem},
		{"TEXT/HTML", page},
		{"text/html; charset=utf-8; Q=0.8, text/plain;q=0.2", page},
		{"image/avif,image/webp,*/*;q=0.8", text},
		{"image/png", text},
		{"*/*;q=0", text},
		{"text/html;q=0", text},
		{"nonsense, text/html", page},
		{"*/html, application/json", problem},
		{"text/html;q=NaN, application/json;q=0.1", problem},
		{"text/html;q=7, application/json;q=0.1", problem},
		{"text/html;q=, application/json;q=0.1", problem},
		{"application/json;q=0.1,\ttext/html ", page},
		{"application/vnd.api+json", problem},
		{"application/vnd.api+json, text/html;q=0.5", problem},
		{"text/html, application/ld+json;q=0.5", page},
		{"application/ld+json;q=0.9, application/json;q=0.1, text/html;q=0.5", page},
		{"application/problem+json;q=0.9, application/vnd.api+json;q=0.1, text/html;q=0.5", problem},
		{"image/svg+xml", text},
		{"text/html;level=1;q=0.1, text/html;q=0.9, application/json;q=0.5", page},
		{"text/html;q=0.9, text/html;level=1;q=0.1, application/json;q=0.5", page},
		{"application/json;odata=verbose, */*;q=0.1", problem},
		{`application/json;profile="a,text/html", text/html;q=0.9`, problem},
		{`application/json;profile="a;q=0", text/html;q=0.9`, problem},
		{"text/html;charset=iso-8859-1;q=0.1, text/html;q=0.8, text/plain;q=0.5", page},
		{"text/html;q=0.2;level=1, text/plain;q=0.1", page},
	} {
		assert.Equal(t, c.want, answer(new(edge.Answers), c.accept, sample(wire.BareLF)).Header().Get("Content-Type"), "%q", c.accept)
	}
	w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header["Accept"] = []string{"text/plain;q=0.5", "text/html"}
	new(edge.Answers).ErrorHandler(w, r, sample(wire.BareLF))
	assert.True(t, strings.HasPrefix(w.Header().Get("Content-Type"), "text/html"), "fields of one name are one list")
}

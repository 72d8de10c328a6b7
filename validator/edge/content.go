package edge

import (
	"io"
	"net/http"
	"net/url"
	"strings"
)

// ModifyResponse watches the content of a response that is passed on, so that
// what fails there is logged, and told in a trailer where Trailers says so. It is for httputil.ReverseProxy's field of that name.
func (a *Answers) ModifyResponse(r *http.Response) error {
	if a.Good != nil {
		if err := a.Good(r); err != nil {
			return err
		}
	}
	if r.StatusCode != http.StatusSwitchingProtocols && r.Body != nil && r.Body != http.NoBody {
		q := r.Request
		if q == nil { // not every transport says what it was asked
			q = &http.Request{Method: http.MethodGet, URL: new(url.URL)}
		}
		r.Body = &watched{ReadCloser: r.Body, a: a, r: r, q: q}
	}
	return nil
}

// watched is content that is being passed on.
type watched struct {
	io.ReadCloser
	a    *Answers
	r    *http.Response
	q    *http.Request
	came int64
	err  error // told once; nothing is read after it
}

func (c *watched) Read(b []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.ReadCloser.Read(b)
	c.came += int64(n)
	if err != nil && err != io.EOF && !cancelled(err) {
		f := c.a.failure(c.q, err)
		c.a.log(c.q, f, err)
		if c.mayEnd() {
			if c.r.Trailer == nil {
				c.r.Trailer = http.Header{}
			}
			c.r.Trailer.Add("Proxy-Status", c.a.proxyStatus(f))
			err = io.EOF
		}
	}
	c.err = err
	return n, err
}

// mayEnd reports whether the content can end in a trailer section and still not
// pass for whole: see Answers.Trailers.
func (c *watched) mayEnd() bool {
	q := c.q
	return c.a.Trailers && q.ProtoMajor == 2 && c.r.ContentLength > c.came && q.Method != http.MethodHead &&
		c.r.Header.Get("Content-Length") != "" && takesTrailers(q.Header) && q.Header.Get("Sec-Fetch-Mode") == ""
}

// takesTrailers reports whether TE says so (RFC 9110 section 10.1.4).
func takesTrailers(header http.Header) bool {
	for _, value := range header["Te"] {
		for _, coding := range strings.Split(value, ",") {
			if strings.EqualFold(strings.TrimSpace(coding), "trailers") {
				return true
			}
		}
	}
	return false
}

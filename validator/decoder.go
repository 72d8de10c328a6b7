package validator

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"strings"
)

// A decoder checks that content decodes as its Content-Encoding says (RFC 9110
// section 8.4): gzip and deflate, the latter with or without its zlib wrapper.
// It keeps nothing of what it decodes.
type decoder struct {
	pipe *io.PipeWriter
	done chan error
}

// newDecoder checks content of that coding; nil where the coding is not known
// here.
func newDecoder(coding string) *decoder {
	var open func(*bufio.Reader) (io.Reader, error)
	switch strings.ToLower(strings.TrimSpace(coding)) {
	case "gzip", "x-gzip":
		open = func(r *bufio.Reader) (io.Reader, error) { return gzip.NewReader(r) }
	case "deflate":
		open = func(r *bufio.Reader) (io.Reader, error) {
			if b, err := r.Peek(2); err == nil && b[0]&0x0F == 8 && (int(b[0])<<8|int(b[1]))%31 == 0 {
				return zlib.NewReader(r)
			}
			return flate.NewReader(r), nil
		}
	default:
		return nil
	}
	from, to := io.Pipe()
	d := &decoder{pipe: to, done: make(chan error, 1)}
	go func() {
		buffered := bufio.NewReader(from)
		r, err := open(buffered)
		if err == nil {
			_, err = io.Copy(io.Discard, r)
		}
		if err == nil {
			if _, more := buffered.Peek(1); more == nil {
				err = fmt.Errorf("bytes follow the end of the %s data", coding)
			}
		}
		from.CloseWithError(io.ErrClosedPipe) // a writer need not wait any more
		d.done <- err
	}()
	return d
}

// write takes content.
func (d *decoder) write(b []byte) {
	// Once decoding has failed nobody reads any more; close tells the cause.
	_, _ = d.pipe.Write(b)
}

// close ends the content and says what is wrong with it, or nothing. Of content
// that was cut that is not asked.
func (d *decoder) close(complete bool) string {
	d.pipe.Close()
	err := <-d.done
	if err == nil || !complete {
		return ""
	}
	return err.Error()
}

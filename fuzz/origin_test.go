package fuzz_test

import (
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/fuzz"
	"why520/wire"
)

// get asks an origin of k as net/http does.
func get(t *testing.T, k fuzz.Case) (string, error) {
	t.Helper()
	o, err := fuzz.Listen(k)
	require.NoError(t, err)
	defer o.Close()
	patience := time.Minute
	if k.End == wire.Timeout {
		patience = 300 * time.Millisecond
	}
	c := http.Client{Transport: &http.Transport{DisableKeepAlives: true, ResponseHeaderTimeout: patience}}
	res, err := c.Get(o.URL())
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	content, err := io.ReadAll(res.Body)
	return string(content), err
}

func TestOriginAnswersWithItsCase(t *testing.T) {
	text := []byte("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
	content, err := get(t, fuzz.Case{Bytes: text, End: wire.FIN})
	assert.NoError(t, err)
	assert.Equal(t, "hello", content)

	content, err = get(t, fuzz.Case{Bytes: text, End: wire.FIN, Cuts: []int{3, 20, 40}, Pauses: []time.Duration{0, time.Millisecond, 0}})
	assert.NoError(t, err)
	assert.Equal(t, "hello", content)

	_, err = get(t, fuzz.Case{Bytes: text[:42], End: wire.FIN})
	assert.ErrorIs(t, err, io.ErrUnexpectedEOF)

	_, err = get(t, fuzz.Case{Bytes: text[:42], End: wire.RST})
	assert.ErrorContains(t, err, "reset")

	_, err = get(t, fuzz.Case{Bytes: text[:10], End: wire.Timeout})
	assert.ErrorContains(t, err, "timeout")
}

// An origin that is closed ends the connections that it keeps open.
func TestOriginEndsItsConnections(t *testing.T) {
	o, err := fuzz.Listen(fuzz.Case{Bytes: []byte("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe"), End: wire.Timeout})
	require.NoError(t, err)
	res, err := http.Get(o.URL())
	require.NoError(t, err)
	defer res.Body.Close()
	require.NoError(t, o.Close())
	_, err = io.ReadAll(res.Body)
	assert.Error(t, err)
}

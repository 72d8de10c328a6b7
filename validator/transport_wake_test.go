package validator_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/validator"
)

// The end of an upload wakes the reader, which has no deadline yet where only
// that between bytes is set: the past one that woke it must not stay.
func TestAnUploadThatEndsLeavesNoDeadlineBehind(t *testing.T) {
	sent := make(chan bool)
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		<-sent
	}))
	defer origin.Close()
	tr := &validator.Transport{Deadlines: validator.Deadlines{Idle: time.Minute}}
	defer tr.CloseIdleConnections()
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { close(sent) }})
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, origin.URL, io.MultiReader(strings.NewReader("content of unknown length")))
	require.NoError(t, err)
	response, err := tr.RoundTrip(r)
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, response.StatusCode)
	assert.NoError(t, response.Body.Close())
}

package validator

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// An answer may be read before it is known that its request was sent: that
// phase was reached all the same.
func TestAnAnswerBeforeItsRequestIsKnownToBeSentHasWaited(t *testing.T) {
	asked := time.Now()
	var e Evidence
	c := &Conn{link: link{tap: new(tap)}}
	c.response.ask.asked, c.response.ask.sent = asked, asked.Add(time.Second)
	c.response.received, c.response.firstByte = 1, asked
	c.describe(&e)
	assert.Positive(t, e.Timing.Wait, "Conn")
	x := &trip{}
	x.c, x.req, x.began, x.asked, x.sent = &conn{link: c.link}, new(http.Request), asked, asked, asked.Add(time.Second)
	x.received, x.firstByte = 1, asked
	e = Evidence{}
	x.facts(&e)
	assert.Positive(t, e.Timing.Wait, "Transport")
}

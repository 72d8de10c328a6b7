package validator_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"why520/validator"
	"why520/wire"
)

const head = "HTTP/1.1 200 OK\r\nServer: s\r\nContent-Length: 90000\r\n\r\n"

// A response of which the first bytes were kept is judged as all of it is.
func TestFirstBytesAreJudgedAsAll(t *testing.T) {
	whole := head + strings.Repeat("c", 90000)
	for _, cut := range []int{600, 5000, len(whole)} {
		for _, end := range []wire.End{wire.FIN, wire.RST, wire.Timeout, wire.Open} {
			o := validator.ReadOptions{End: end}
			all := validator.Read([]byte(whole[:cut]), validator.RequestFacts{}, o)
			if end == wire.Open {
				all.End = wire.Open
				if cut < len(whole) { // Read takes Open for FIN
					all.Response.Reason = wire.OK
				}
			}
			rest := validator.Rest{
				Received: int64(cut), Content: int64(cut - len(head)), Complete: cut == len(whole),
				Reason: all.Response.Reason, Offset: all.Response.Offset,
			}
			first := validator.ReadFirst([]byte(whole[:512]), rest, validator.RequestFacts{}, o)
			got, want := validator.Judge(first, nil), validator.Judge(all, nil)
			assert.Equal(t, want.Reason, got.Reason, "%d bytes, %s", cut, end)
			assert.Equal(t, want.Phase, got.Phase, "%d bytes, %s", cut, end)
			assert.Equal(t, want.Message, got.Message, "%d bytes, %s", cut, end)
			assert.Equal(t, all.Received, first.Received)
			assert.Equal(t, all.Response.Body, first.Response.Body)
		}
	}
}

func TestHeadsThatWereMeasuredKeepTheirSize(t *testing.T) {
	raw := "HTTP/1.1 200 OK\r\nA: " + strings.Repeat("a", 8192)
	e := validator.ReadFirst([]byte(raw), validator.Rest{Received: 20000, Head: 12000, Measured: true, Reason: wire.HeadTooLarge, Offset: 8192},
		validator.RequestFacts{}, validator.ReadOptions{End: wire.FIN})
	v := validator.Judge(e, nil)
	assert.Equal(t, wire.HeadTooLarge, v.Reason)
	assert.EqualValues(t, 8192, v.Offset)
	assert.Contains(t, v.Message, "12000 bytes")
}

func TestAForgedResetIsNotTheOrigins(t *testing.T) {
	for _, raw := range []string{"", head, head + "some"} {
		e := validator.ReadFirst([]byte(raw), validator.Rest{}, validator.RequestFacts{}, validator.ReadOptions{End: wire.RST})
		plain := validator.Judge(e, nil).Reason
		require.NotEqual(t, wire.OK, plain)
		e.TCP = &validator.TCPFacts{ResetBy: "origin", Confidence: "certain"}
		assert.Equal(t, plain, validator.Judge(e, nil).Reason)
		e.TCP.ResetBy = "injected"
		v := validator.Judge(e, nil)
		assert.Equal(t, validator.InjectedReset, v.Reason)
		assert.Equal(t, 520, v.EdgeStatus)
		e.TCP.Confidence, e.TCP.Or = "open", plain
		assert.Contains(t, validator.Judge(e, nil).Message, plain.String())
	}
	e := validator.ReadFirst([]byte("HTTP/1.1 OK\r\n"), validator.Rest{}, validator.RequestFacts{}, validator.ReadOptions{End: wire.RST})
	e.TCP = &validator.TCPFacts{ResetBy: "injected"}
	assert.Equal(t, wire.StatusCodeDigits, validator.Judge(e, nil).Reason, "a fault in the bytes comes first")
}

func TestAResponseThatWasNotAcknowledgedIsLost(t *testing.T) {
	const whole = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	for _, kept := range []bool{true, false} {
		e := validator.ReadFirst([]byte(whole), validator.Rest{}, validator.RequestFacts{}, validator.ReadOptions{End: wire.RST})
		if !kept {
			e.Response = nil
		}
		require.Equal(t, validator.PhaseIdle, e.Phase)
		e.TCP = &validator.TCPFacts{ResetBy: "origin"}
		v := validator.Judge(e, nil)
		assert.True(t, v.OK(), v.Message)
		e.TCP.Unacknowledged = 2
		assert.Equal(t, validator.ResponseLostInReset, validator.Judge(e, nil).Reason)
		stored, err := json.Marshal(e)
		require.NoError(t, err)
		var again validator.Evidence
		require.NoError(t, json.Unmarshal(stored, &again))
		assert.Equal(t, validator.ResponseLostInReset, validator.Judge(&again, nil).Reason)
		e.TCP.ResetBy = "injected"
		assert.Equal(t, validator.InjectedReset, validator.Judge(e, nil).Reason)
	}
}

// What the client ended, or what goes on, is no fault of the origin's.
func TestAnOpenFlowIsNoFault(t *testing.T) {
	for _, phase := range []validator.Phase{validator.PhaseConnect, validator.PhaseTLS, validator.PhaseRequest, validator.PhaseWait} {
		e := validator.ReadFirst(nil, validator.Rest{}, validator.RequestFacts{}, validator.ReadOptions{End: wire.Open})
		e.Phase, e.TCP = phase, &validator.TCPFacts{ResetBy: "client"}
		e.Seen = []validator.Finding{{Reason: validator.ClientReset, Offset: -1}}
		v := validator.Judge(e, nil)
		assert.True(t, v.OK(), "%s: %s", phase, v.Message)
		require.Len(t, v.Notes, 1)
		assert.Equal(t, validator.ClientReset, v.Notes[0].Reason)
	}
}

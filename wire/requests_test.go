package wire_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"why520/wire"
)

// asked reads requests in pieces of size bytes: what each asks for and its bytes
// of content, and what ends the reading.
func asked(text string, size int) (all []string, between bool, at int, err error) {
	s, content := &wire.Requests{}, 0
	for at < len(text) {
		piece := text[at:min(at+size, len(text))]
		for {
			ev, n, err := s.Next([]byte(piece))
			at, piece = at+n, piece[n:]
			switch {
			case err != nil:
				return all, false, at, err
			case ev == wire.FinalHead:
				q := s.Request
				all = append(all, q.Method)
				if q.Upgrade {
					all[len(all)-1] += " upgrade"
				}
				if q.Expect {
					all[len(all)-1] += " expect"
				}
			case ev == wire.Content:
				content += n
			case ev == wire.Done:
				all[len(all)-1] += " " + strconv.Itoa(content)
				content = 0
			}
			if ev == wire.NoEvent && len(piece) == 0 {
				break
			}
		}
	}
	return all, s.Between(), at, nil
}

func TestRequestsAreFollowedWhateverTheSplit(t *testing.T) {
	text := "GET / HTTP/1.1\r\nHost: a\r\n\r\n" +
		"\r\nHEAD /x y HTTP/1.0\r\n\r\n" +
		"POST / HTTP/1.1\r\ncontent-LENGTH:\t5 \r\nExpect: 100-Continue\r\n\r\nhello" +
		"PUT / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n5;a=b\r\nhello\r\n1\r\nx\r\n0\r\nSum: 1\r\n\r\n" +
		"PUT / HTTP/1.1\nTransfer-Encoding: chunked\n\n0\r\n\r\n" +
		"BREW /pot HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: tea\r\nCookie: " + strings.Repeat("c", 9000) + "\r\n\r\n" +
		"GET / HTTP/1.1\r\nUPGRADE: ,tea\r\nConnection: close\r\nCONNECTION: a , Upgrade\r\n\r\n" +
		"GET / HTTP/1.1\r\nUpgrade: tea\r\nConnection: upgrades\r\n\r\n" +
		"GET / HTTP/1.1\r\nUpgrade: , \r\nConnection: upgrade\r\n\r\n" +
		"CONNECT a:1 HTTP/1.1\r\nContent-Length: 0\r\n\r\n"
	want := []string{"GET 0", "HEAD 0", "POST expect 5", "PUT 23", "PUT 3", "BREW upgrade 0", "GET upgrade 0", "GET 0", "GET 0", "CONNECT 0"}
	for _, size := range []int{1, 2, 3, 7, 100, len(text)} {
		got, between, _, err := asked(text, size)
		assert.NoError(t, err, "%d bytes at a time", size)
		assert.Equal(t, want, got, "%d bytes at a time", size)
		assert.True(t, between)
	}
	_, between, _, err := asked(text+"G", len(text))
	assert.NoError(t, err)
	assert.False(t, between, "another has begun")
}

func TestRequestsWhoseEndIsUncertainAreRefused(t *testing.T) {
	const line = "POST / HTTP/1.1\r\n"
	for text, want := range map[string]wire.Reason{
		"GET /\r\n": wire.ProtocolName, "GET / HTTP/2.0\r\n": wire.ProtocolName, " GET / HTTP/1.1\r\n": wire.ProtocolName,
		"\x16\x03\x01\n": wire.ProtocolName, "GET HTTP/1.1\r\n": wire.ProtocolName, "G@T / HTTP/1.1\r\n": wire.ProtocolName,
		line + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n":    wire.LengthAndTransferEncoding,
		line + "Content-Length: 5\r\nContent-Length: 6\r\n":                 wire.ContentLengthConflict,
		line + "Content-Length: 5\r\nContent-Length: 5\r\n":                 wire.ContentLengthRepeated,
		line + "Content-Length: +5\r\n":                                     wire.ContentLengthInvalid,
		line + "Transfer-Encoding: gzip, chunked\r\n":                       wire.TransferCodingUnsupported,
		line + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\n": wire.TransferCodingUnsupported,
		line + "Transfer-Encoding : chunked\r\n":                            wire.FieldSpaceBeforeColon,
		line + "A: b\r\n Content-Length: 5\r\n":                             wire.FieldObsFold,
		line + "Content-Length 5\r\n":                                       wire.FieldNoColon,
		line + "Transfer-Encoding: chunked\r\n\r\nx":                        wire.ChunkSizeInvalid,
		line + "A: " + strings.Repeat("a", 70<<10):                          wire.HeadTooLarge,
		line + strings.Repeat("A: b\r\n", 200_000):                          wire.HeadTooLarge,
	} {
		for _, size := range []int{1, 1000} {
			_, _, _, err := asked(text, size)
			assert.Equal(t, want, err, "%.60q", text)
		}
	}
}

func TestRequestsCostNoMemory(t *testing.T) {
	s, b := &wire.Requests{}, []byte("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		for rest := b; ; {
			ev, n, _ := s.Next(rest)
			if rest = rest[n:]; ev == wire.Done {
				return
			}
		}
	}))
}

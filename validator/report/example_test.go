package report_test

import (
	"encoding/json"
	"fmt"
	"os"

	"why520/validator"
	"why520/validator/report"
)

// judged gives evidence and verdict of a response with a colon too few.
func judged() (*validator.Evidence, validator.Verdict) {
	raw := []byte("HTTP/1.1 200 OK\r\nServer x\r\nContent-Length: 0\r\n\r\n")
	e := validator.Read(raw, validator.RequestFacts{}, validator.ReadOptions{})
	return e, validator.Judge(e, nil)
}

// A verdict for a person.
func Example() {
	e, v := judged()
	_ = report.Text(os.Stdout, e, &v, report.Options{Width: 72})
	// Output:
	// 520 field-no-colon
	//         A field line has no colon: 0x20 at byte 23.
	//   seen  phase head; 48 bytes received; closed by the origin
	//   head  HTTP/1.1 200; 1 field line, 23 bytes, as far as it came
	//   where byte 23, in field line 1
	//         TTP/1.1 200 OK\r\nServer x\r\nContent-Length: 0
	//                                 ^ byte 23
	//   do    Find what writes this field (a plugin, a script, `add_header`)
	//         and give it a name of letters, digits and hyphens, with the
	//         colon right behind it.
}

// A verdict for a program: the command's contract.
func ExampleJSON() {
	e, v := judged()
	record := report.JSON(e, &v)
	record.ID, record.Remedy, record.FirstBytes, record.Head = "", "", "", nil
	line, _ := json.Marshal(record)
	fmt.Println(string(line))
	// Output: {"v":1,"id":"","ok":false,"reason":"field-no-colon","cause":"invalid-response","edge_status":520,"phase":"head","offset":23,"message":"a field line has no colon: 0x20 at byte 23","rfc":"RFC 9110 section 5.1","findings":[{"reason":"field-no-colon","offset":23,"severity":"fail","message":"a field line has no colon: 0x20 at byte 23"}],"end":"fin","reused":false,"attempts":1,"bytes":{"sent":0,"received":48},"names":{"proxy_status":"http_protocol_error","nel":"http.response.invalid","otel":"field-no-colon","curl_exit":8}}
}

// Bytes as the dumps show them, a line each, with their offset.
func ExampleLines() {
	for _, line := range report.Lines([]byte("HTTP/1.1 200 OK\r\nServer: \x00\r\n"), 0) {
		fmt.Println("|", line)
	}
	// Output:
	// |      0  HTTP/1.1 200 OK\r\n
	// |     17  Server: \x00\r\n
}

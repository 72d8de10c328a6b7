// Package report turns verdicts into what people and programs read: the record
// of the command's JSON contract, and text for a terminal.
//
// Bytes of an origin are escaped wherever they are shown. Values of secret
// fields are masked in the evidence already.
package report

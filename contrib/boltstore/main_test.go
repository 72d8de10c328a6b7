package boltstore

import (
	"os"
	"testing"

	"why520/validator/origintest"
)

func TestMain(m *testing.M) {
	if folder := os.Getenv(writerFolder); folder != "" {
		writeUntilKilled(folder)
	}
	os.Exit(origintest.Run(m))
}

package capture_test

import (
	"os"
	"testing"

	"why520/capture/captest"
)

func TestMain(m *testing.M) { os.Exit(captest.Alone(m.Run)) }

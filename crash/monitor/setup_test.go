package monitor

import "testing"

// Who reads a setup while it is saved again finds a whole one.
func TestSetupIsSavedWhole(t *testing.T) {
	s := fallen(t)
	if err := s.Save(); err != nil {
		t.Fatal(err)
	}
	saved := make(chan error, 1)
	go func() { // ends by itself
		var err error
		for range 500 {
			if err = s.Save(); err != nil {
				break
			}
		}
		saved <- err
	}()
	for {
		if _, err := LoadSetup(s.RunDir); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-saved:
			if err != nil {
				t.Error(err)
			}
			return
		default:
		}
	}
}

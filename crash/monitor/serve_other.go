//go:build !linux

package monitor

import (
	"errors"
	"fmt"
	"os"
)

// serve runs a role to its end.
func serve(role string) error {
	if role == RoleText {
		return serveText(os.Stdin)
	}
	return fmt.Errorf("role %q: %w", role, errors.ErrUnsupported)
}

//go:build !linux

package embedded

import "errors"

// freeSpace is not known here: nothing is kept in reserve.
func freeSpace(string) (int64, error) { return 0, errors.ErrUnsupported }

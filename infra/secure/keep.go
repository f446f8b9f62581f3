package secure

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Keep returns what is in a file, and makes both if the file is not there: one
// of mode 0600, complete or not at all. It refuses a file that others may read,
// unless its directory keeps them out: a file that is mounted into a container of
// another user must be readable to all.
func Keep(file string, content func() (string, error)) (string, error) {
	info, err := os.Stat(file)
	if errors.Is(err, os.ErrNotExist) {
		text, err := content()
		if err != nil {
			return "", err
		}
		return text, write(file, text)
	}
	if err != nil {
		return "", err
	}
	dir, err := os.Stat(filepath.Dir(file))
	if err != nil {
		return "", err
	}
	if info.Mode().Perm()&0o077 != 0 && dir.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("%s can be read by others (mode %v): whoever could may know what is in it; remove it to have a new one, or chmod 600 it", file, info.Mode().Perm())
	}
	text, err := os.ReadFile(file)
	return string(text), err
}

// Password returns 130 random bits as letters and digits.
func Password() (string, error) { return rand.Text(), nil }

// write puts text into a file of mode 0600 that appears when it is complete.
func write(file, text string) error {
	f, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".new-") // of mode 0600
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

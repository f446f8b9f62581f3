package main

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"streamflow"
)

// maskFlags say with which key what should not be seen is masked. The key is
// better not on the command line, which everybody on the machine can read.
type maskFlags struct {
	MaskKey     string `help:"Key by which e-mail addresses are masked, 16 bytes or more, the same for all bridges; better in the environment than on the command line." placeholder:"SECRET" env:"MASK_KEY"`
	MaskKeyFile string `help:"File that holds the key; DATA_DIR/mask.key if it is there, where \"up\" keeps its own." placeholder:"FILE" env:"MASK_KEY_FILE"`
}

// maskFile is the name of the key in the data directory.
const maskFile = "mask.key"

// keepKey makes sure that there is a key: what is set, or one of the data
// directory, which is made with the directory and must live as long.
func (f *maskFlags) keepKey(dir string) error {
	if f.MaskKey != "" || f.MaskKeyFile != "" {
		return nil
	}
	f.MaskKeyFile = filepath.Join(dir, maskFile)
	if _, err := os.Stat(f.MaskKeyFile); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	// Whole or not at all: a key that was cut short would be another key.
	part := f.MaskKeyFile + ".part"
	err := writeSynced(part, rand.Text()+"\n")
	if err == nil {
		err = os.Rename(part, f.MaskKeyFile)
	}
	if err != nil {
		return fmt.Errorf("the key of the masks: %w", err)
	}
	return nil
}

// writeSynced writes a file for its owner's eyes that is on the disk when it returns.
func writeSynced(name, text string) error {
	file, err := os.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = file.WriteString(text)
	return errors.Join(err, file.Sync(), file.Close())
}

// mask returns the mask that the flags say.
func (f maskFlags) mask() (*streamflow.Mask, error) {
	key, from := []byte(f.MaskKey), "MASK_KEY"
	if f.MaskKey == "" {
		from = cmp.Or(f.MaskKeyFile, filepath.Join(cmp.Or(os.Getenv("DATA_DIR"), "./data"), maskFile))
		text, err := os.ReadFile(from)
		if err != nil && f.MaskKeyFile == "" {
			return nil, errors.New("topic user-events needs a key by which e-mail addresses are masked: set MASK_KEY to a secret of 16 bytes or more, " +
				"the same for all bridges and for good, such as that of `openssl rand -hex 32`; or MASK_KEY_FILE to a file that holds it " +
				"(`streamflow up` keeps its own in DATA_DIR/" + maskFile + "); or leave the topic out with EVENT_TOPICS=events")
		}
		if err != nil {
			return nil, fmt.Errorf("the key of the masks, MASK_KEY_FILE: %w", err)
		}
		key = bytes.TrimSpace(text)
	}
	mask, err := streamflow.NewMask(key)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; `openssl rand -hex 32` makes a good one", from, err)
	}
	return mask, nil
}

package ingest

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// state is what stands in the state file.
type state struct {
	Version int    `json:"version"`
	ID      string `json:"id"` // a part of the transactional id
	File    string `json:"file"`
	Target  string `json:"target"`
	// Number counts the transactions that are known to be committed.
	Number int64    `json:"number"`
	Sent   Position `json:"sent"` // by them
	// Pending is what transaction Number+1 sends, while it is not known whether
	// it was committed; Ends is where the target ended before it.
	Pending *Position       `json:"pending,omitempty"`
	Ends    map[int32]int64 `json:"ends,omitempty"`

	name  string   // "" keeps nothing
	lock  *os.File // held
	fresh bool     // there was no file
	saved bool     // the file says what is here
}

const stateVersion = 1

// openState reads the state file, or begins one, and holds it.
func openState(name, file, target string) (*state, error) {
	st := &state{Version: stateVersion, ID: strings.ToLower(rand.Text()[:16]), File: file, Target: target, fresh: true}
	if name == "" {
		return st, nil
	}
	held, err := os.OpenFile(name+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("state file: %w: choose another place with --state", err)
	}
	if err := lock(held); err != nil {
		return nil, errors.Join(fmt.Errorf("state file %s: %w: stop it, or choose another file with --state", name, err), held.Close())
	}
	st.name, st.lock = name, held
	if err := st.read(); err != nil {
		st.close()
		return nil, fmt.Errorf("state file %s: %w", name, err)
	}
	return st, nil
}

func (st *state) read() error {
	data, err := os.ReadFile(st.name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var kept state
	if err := json.Unmarshal(data, &kept); err != nil || kept.ID == "" {
		return fmt.Errorf("it is no state of ingest (%w): without it nobody knows what was sent; remove it to send all", err)
	}
	switch {
	case kept.Version != stateVersion:
		return fmt.Errorf("it has version %d, and %d is known here", kept.Version, stateVersion)
	case kept.Target != st.Target || kept.File != st.File:
		return fmt.Errorf("it belongs to %s, sent to %s: choose another one with --state", kept.File, kept.Target)
	}
	kept.name, kept.lock, kept.saved = st.name, st.lock, true
	*st = kept
	return nil
}

// mark is that of the next transaction.
func (st *state) mark() string { return st.ID + "/" + strconv.FormatInt(st.Number+1, 10) }

// save writes the file, whole or not at all, and returns when it is on the disk.
func (st *state) save() error {
	if st.saved = true; st.name == "" {
		return nil
	}
	text, err := json.MarshalIndent(st, "", "  ")
	if err == nil {
		err = replace(st.name, append(text, '\n'))
	}
	if err != nil {
		return fmt.Errorf("state file: %w", err)
	}
	return nil
}

func replace(name string, text []byte) error {
	part, err := os.OpenFile(name+".part", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = part.Write(text)
	if err = errors.Join(err, part.Sync(), part.Close()); err != nil {
		return err
	}
	if err := os.Rename(name+".part", name); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(name))
	if err != nil {
		return err
	}
	_ = dir.Sync() // not every file system can
	return dir.Close()
}

// begin notes that the next transaction goes up to p.
func (st *state) begin(p Position) error {
	st.Pending = &p
	return st.save()
}

// decided notes what became of it.
func (st *state) decided(committed bool) {
	if committed {
		st.Sent = *st.Pending
		st.Number++
	}
	st.Pending, st.saved = nil, false
}

// move notes a position up to which there was nothing to send.
func (st *state) move(p Position) { st.Sent, st.saved = p, false }

func (st *state) close() {
	if st.lock != nil {
		_ = st.lock.Close()
	}
}

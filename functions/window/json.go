package window

import (
	"encoding/json"
	"errors"
	"fmt"

	"streamflow/functions/coder"
)

// MarshalJSON lets a function that keeps its state as JSON have windows in it, as
// a field with a name: an embedded one would speak for the whole state. The
// text is opaque; what a window holds is written as JSON too.
func (w Windows[A]) MarshalJSON() ([]byte, error) {
	c := coder.Writer(nil)
	w.Code(c, codeJSON)
	if err := c.End(); err != nil {
		return nil, fmt.Errorf("windows: %w", err)
	}
	return json.Marshal(c.Bytes())
}

// UnmarshalJSON reads what MarshalJSON wrote, into windows that [New] made.
func (w *Windows[A]) UnmarshalJSON(text []byte) error {
	if w.plan == nil {
		return errors.New("windows: they have no plan: make them with window.New before they are read")
	}
	var data []byte
	if err := json.Unmarshal(text, &data); err != nil {
		return fmt.Errorf("windows: %w", err)
	}
	c := coder.Reader(data)
	w.Code(c, codeJSON)
	if err := c.End(); err != nil {
		return fmt.Errorf("windows: state of %d bytes: %w", len(data), err)
	}
	return nil
}

func codeJSON[A any](c *coder.Coder, _ int64, v *A) {
	var text string
	if !c.Reads() {
		data, err := json.Marshal(v)
		if err != nil {
			c.Fail(err)
		}
		text = string(data)
	}
	c.String(&text)
	if c.Reads() && c.Err() == nil {
		if err := json.Unmarshal([]byte(text), v); err != nil {
			c.Fail(err)
		}
	}
}

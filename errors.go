package streamflow

import "errors"

// ErrFenced says that another writer has moved the position since it was read.
// Nothing of the write that it answers was stored. The writer must read the
// position again before it goes on.
var ErrFenced = errors.New("fenced: another writer has moved the position")

// ErrRebuilt says that a stream was made anew since it was read, so that its
// sequences start again. What was derived from them must be read anew.
var ErrRebuilt = errors.New("the stream has been made anew")

package main

import (
	"context"

	"streamflow/infra/jetstream"
)

// feed gives the streams the form that the API asks for.
type feed struct{ *jetstream.Client }

// Floor implements [api.Feed].
func (f feed) Floor(ctx context.Context) (uint64, error) { return f.Client.Feed().Floor(ctx) }

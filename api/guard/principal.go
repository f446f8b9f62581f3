package guard

import "context"

// Principal is who has sent a request.
type Principal struct {
	KeyID   string // "" where it has no key
	Name    string // of the key
	Scope   Scope  // what it may do
	Address string // where it comes from: an IP address
}

// Text names the principal in a log, or as the one who did something.
func (p Principal) Text() string {
	switch {
	case p.KeyID != "":
		return p.Name + " (" + p.KeyID + ")"
	case p.Address != "":
		return p.Address
	}
	return "unknown"
}

type principalKey struct{}

// From returns who has sent the request of a context, the zero Principal if it
// is of none.
func From(ctx context.Context) Principal {
	p, _ := ctx.Value(principalKey{}).(Principal)
	return p
}

func with(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

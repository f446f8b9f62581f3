package jetstream

import (
	"context"
	"encoding/json"
	"time"
)

const (
	usefulEvery = 2 * time.Second
	usefulWait  = 2 * time.Second
	// uselessAfter is longer than a cluster without a leader takes to have one:
	// while there is none, no server is better than another.
	uselessAfter = 10 * time.Second
	apiInfo      = "$JS.API.INFO"
)

// stayUseful leaves a server that is there for us and has no JetStream behind
// it: one that is cut off from the other nodes of its cluster, but not from its
// clients. Such a connection is alive, so the library keeps it, and nothing that
// is asked or published over it is answered for as long as the cut lasts.
func (c *Client) stayUseful(ctx context.Context) {
	ticker := time.NewTicker(usefulEvery)
	defer ticker.Stop()
	answered := false // ever: who may not ask is told nothing
	useful := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		switch {
		case !c.nc.IsConnected() || len(c.nc.Servers()) < 2:
			useful = time.Now()
		case c.useful(ctx):
			answered, useful = true, time.Now()
		case answered && time.Since(useful) > uselessAfter && ctx.Err() == nil:
			c.log.Warn("this server has no JetStream behind it, going to another", "url", c.nc.ConnectedUrlRedacted())
			_ = c.nc.ForceReconnect() // closed, then
			useful = time.Now()
		}
	}
}

// useful says that JetStream, wherever its leader is, answers.
func (c *Client) useful(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, usefulWait)
	defer cancel()
	reply, err := c.nc.RequestWithContext(ctx, apiInfo, nil)
	if err != nil {
		return false
	}
	var answer apiAnswer
	return json.Unmarshal(reply.Data, &answer) == nil && answer.Error == nil
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"slices"
	"text/tabwriter"
	"time"

	"streamflow"
	"streamflow/api/guard"
	"streamflow/functions/fleet"
	"streamflow/infra/jetstream"
)

type keysCmd struct {
	List   keysListCmd   `cmd:"" default:"withargs" help:"Show all API keys: what they may do, until when, when they were last used."`
	Create keysCreateCmd `cmd:"" help:"Make an API key and print it, once."`
	Revoke keysRevokeCmd `cmd:"" help:"Revoke API keys; what is done by them ends at once."`
}

// Help is shown by --help.
func (keysCmd) Help() string {
	return `Keys are kept in bucket "keys", hashed: every API process of the system takes them, and hears of a change at once. docs/security.md says what needs which scope.`
}

// keyDesk is where keys are kept.
type keyDesk struct {
	js     *jetstream.Client
	bucket fleet.Bucket
}

func openKeyDesk(ctx context.Context, f natsFlags, log *slog.Logger) (*keyDesk, error) {
	js, err := f.connect("keys", log)
	if err != nil {
		return nil, err
	}
	bucket, err := keyBucket(ctx, js)
	if err != nil {
		js.Close()
		return nil, err
	}
	return &keyDesk{js, bucket}, nil
}

// keyBucket returns the bucket of the keys, which it makes if it is not there.
func keyBucket(ctx context.Context, js *jetstream.Client) (*jetstream.Bucket, error) {
	b := js.Bucket(streamflow.BucketKeys)
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return b, b.Make(ctx, "API keys, hashed, and when they were last used")
}

// keyRow is a key as people see it.
type keyRow struct {
	guard.Key
	State    string      `json:"state"`
	LastUsed *guard.Used `json:"lastUsed,omitempty"`
	revision uint64
	fault    error
}

// rows returns all keys, the oldest first. What cannot be read is a row too.
func (d *keyDesk) rows(ctx context.Context, now time.Time) ([]keyRow, error) {
	all, err := read(ctx, d.bucket)
	if err != nil {
		return nil, err
	}
	var rows []keyRow
	for _, id := range slices.Sorted(maps.Keys(all)) {
		if _, isUse := guard.UsedID(id); isUse || all[id].value == nil {
			continue
		}
		k, err := guard.ParseKey(id, all[id].value)
		r := keyRow{Key: k, State: k.State(now), revision: all[id].revision, fault: err}
		if err != nil {
			r.ID, r.State = id, "unreadable"
		}
		var used guard.Used
		if json.Unmarshal(all[guard.UsedKey(id)].value, &used) == nil {
			r.LastUsed = &used
		}
		rows = append(rows, r)
	}
	slices.SortStableFunc(rows, func(a, b keyRow) int { return a.Created.Compare(b.Created) })
	return rows, nil
}

// revoke marks a key as revoked. It stays in the list, for whoever asks later.
func (d *keyDesk) revoke(ctx context.Context, id string, now time.Time) (guard.Key, error) {
	for {
		rows, err := d.rows(ctx, now)
		if err != nil {
			return guard.Key{}, err
		}
		i := slices.IndexFunc(rows, func(r keyRow) bool { return r.ID == id })
		if i < 0 {
			return guard.Key{}, fmt.Errorf("key %.40q is not there: `streamflow keys list` shows those that are", id)
		}
		r := rows[i]
		if r.fault != nil || !r.Revoked.IsZero() {
			return r.Key, r.fault // what cannot be read opens nothing
		}
		r.Revoked = now.UTC().Truncate(time.Second)
		data, err := json.Marshal(r.Key)
		if err != nil {
			return guard.Key{}, err
		}
		_, err = d.bucket.Update(ctx, id, data, r.revision)
		if !errors.Is(err, streamflow.ErrFenced) {
			return r.Key, err
		}
	}
}

type keysCreateCmd struct {
	Name    string `arg:"" help:"Whose key it is, or for what: prometheus, ada, the trading bot."`
	Scope   string `help:"What it may do: read, write or admin; each holds those before it." enum:"read,write,admin" default:"read"`
	Expires string `help:"How long it holds, such as 90d or 12h; 0 is for ever." default:"90d"`
	natsFlags
}

// Validate reads the age.
func (c *keysCreateCmd) Validate() error { return validAge("--expires", c.Expires) }

// Run makes a key. The key alone goes to standard output, so that it can be
// piped to where it is kept.
func (c *keysCreateCmd) Run(ctx context.Context, log *slog.Logger) error {
	life, err := age(c.Expires)
	if err != nil {
		return fmt.Errorf("--expires: %w", err)
	}
	now, expires := time.Now(), time.Time{}
	if life > 0 {
		expires = now.Add(life)
	}
	k, secret, err := guard.NewKey(c.Name, guard.Scope(c.Scope), now, expires)
	if err != nil {
		return err
	}
	d, err := openKeyDesk(ctx, c.natsFlags, log)
	if err != nil {
		return err
	}
	defer d.js.Close()
	data, err := json.Marshal(k)
	if err != nil {
		return err
	}
	if _, err := d.bucket.Update(ctx, k.ID, data, 0); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "Key %s (%s) has scope %s and holds %s. It is shown this once, and kept nowhere:\n", k.ID, k.Name, k.Scope, until(k.Expires))
	fmt.Println(secret)
	return nil
}

func until(t time.Time) string {
	if t.IsZero() {
		return "until it is revoked"
	}
	return "until " + t.Format(time.RFC3339)
}

type keysListCmd struct {
	JSON bool `name:"json" help:"Print JSON."`
	natsFlags
}

// Run prints all keys.
func (c *keysListCmd) Run(ctx context.Context, log *slog.Logger) error {
	d, err := openKeyDesk(ctx, c.natsFlags, log)
	if err != nil {
		return err
	}
	defer d.js.Close()
	now := time.Now()
	rows, err := d.rows(ctx, now)
	if err != nil {
		return err
	}
	if c.JSON {
		return printKeysJSON(os.Stdout, rows)
	}
	return printKeys(os.Stdout, rows, now)
}

// printKeysJSON leaves the hashes out: they are nobody's business.
func printKeysJSON(w io.Writer, rows []keyRow) error {
	for i := range rows {
		rows[i].Hash = ""
	}
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(append([]keyRow{}, rows...))
}

func printKeys(w io.Writer, rows []keyRow, now time.Time) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ID\tNAME\tSCOPE\tSTATE\tCREATED\tEXPIRES\tLAST USED\tFROM")
	date := func(at time.Time) string {
		if at.IsZero() {
			return "never"
		}
		return at.Format(time.DateOnly)
	}
	for _, r := range rows {
		last, from := "never", ""
		if r.LastUsed != nil {
			last, from = ago(r.LastUsed.At, now), r.LastUsed.From
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.ID, clip(r.Name, 40), r.Scope, r.State, date(r.Created), date(r.Expires), last, from)
	}
	return t.Flush()
}

type keysRevokeCmd struct {
	IDs []string `arg:"" name:"id" help:"IDs of keys, as the list shows them."`
	natsFlags
}

// Run revokes keys.
func (c *keysRevokeCmd) Run(ctx context.Context, log *slog.Logger) error {
	d, err := openKeyDesk(ctx, c.natsFlags, log)
	if err != nil {
		return err
	}
	defer d.js.Close()
	var faults []error
	for _, id := range c.IDs {
		k, err := d.revoke(ctx, id, time.Now())
		if err != nil {
			faults = append(faults, err)
			continue
		}
		fmt.Printf("Key %s (%s) is revoked.\n", k.ID, k.Name)
	}
	return errors.Join(faults...)
}

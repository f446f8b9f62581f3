package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamflow"
	"streamflow/api"
	"streamflow/api/guard"
	"streamflow/functions/fleet"
	"streamflow/infra/kafka"
)

// The name of the API key with which something is done stands in what is stored
// of it: of an alert, of a function, of dead letters. So it does without a word of
// its own, and whatever the one who holds the key calls themselves.
func TestKeysNameWhoDidIt(t *testing.T) {
	r := newOpsRig(t)
	id, secret := r.makeKey("night desk")
	by := "night desk (" + id + ")"

	r.raise("0a")
	r.raise("0b")
	r.withKey(secret, "POST", "/api/alerts/acknowledge", `{"ids":["0a"]}`)
	r.withKey(secret, "POST", "/api/alerts/acknowledge", `{"ids":["0b"],"by":"root"}`)
	var alerts api.AlertPage
	r.call("GET", "/api/alerts?acknowledged=true", "", &alerts)
	seen := map[string]string{}
	for _, a := range alerts.Alerts {
		seen[a.ID] = *a.AcknowledgedBy
	}
	if seen["0a"] != by || seen["0b"] != "root, with key "+by {
		t.Errorf("alerts were acknowledged by %q", seen)
	}

	r.withKey(secret, "PATCH", "/api/functions/candles", `{"state":"paused"}`)
	if got := r.desired("candles").By; got != by {
		t.Errorf("candles were paused by %q", got)
	}
	r.withKey(secret, "POST", "/api/functions/indicators/replay", `{"from":"1h"}`)
	if got := r.desired("indicators").By; got != by {
		t.Errorf("indicators were replayed by %q", got)
	}
	r.call("PATCH", "/api/functions/candles", `{"state":"running"}`, nil) // without a key, from this machine
	if got := r.desired("candles").By; got != "127.0.0.1" {
		t.Errorf("candles were started again by %q", got)
	}

	letters := r.refused(2)
	good := fmt.Sprintf(`{"symbol":"A","price":1,"volume":1,"timestamp":%q}`, time.Now().UTC().Format(time.RFC3339Nano))
	r.withKey(secret, "POST", "/api/deadletters/replay", fmt.Sprintf(`{"ids":[%d],"value":%q}`, letters[0], good))
	r.withKey(secret, "POST", "/api/deadletters/discard", fmt.Sprintf(`{"ids":[%d],"reason":"x"}`, letters[1]))
	for _, n := range letters {
		var l api.DeadLetter
		if r.call("GET", fmt.Sprintf("/api/deadletters/%d", n), "", &l); len(l.History) == 0 {
			t.Errorf("dead letter %d: %+v", n, l)
		}
		for _, act := range l.History {
			if act.By != by {
				t.Errorf("dead letter %d was %s by %q", n, act.State, act.By)
			}
		}
	}
}

// makeKey stores a key that may do everything, and waits until it is taken.
func (r *opsRig) makeKey(name string) (id, secret string) {
	r.t.Helper()
	d, err := openKeyDesk(r.t.Context(), r.s.natsFlags, slog.New(slog.DiscardHandler))
	if err != nil {
		r.t.Fatal(err)
	}
	defer d.js.Close()
	k, secret, err := guard.NewKey(name, guard.ScopeAdmin, time.Now(), time.Time{})
	if err != nil {
		r.t.Fatal(err)
	}
	data, err := json.Marshal(k)
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := d.bucket.Update(r.t.Context(), k.ID, data, 0); err != nil {
		r.t.Fatal(err)
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		status, text := r.ask(secret, "GET", "/api/formulas", "")
		if status == 200 {
			return k.ID, secret
		}
		if time.Now().After(end) {
			r.t.Fatalf("the key is not taken within a minute: %d %s", status, text)
		}
	}
}

// ask sends a request with a key.
func (r *opsRig) ask(secret, method, path, body string) (status int, text string) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.url+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+secret)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp.StatusCode, string(data)
}

func (r *opsRig) withKey(secret, method, path, body string) {
	r.t.Helper()
	if status, text := r.ask(secret, method, path, body); status >= 300 {
		r.t.Fatalf("%s %s: %d %s", method, path, status, text)
	}
}

// raise stores an alert.
func (r *opsRig) raise(id string) {
	r.t.Helper()
	db, err := r.s.postgresFlags.connect(r.t.Context(), "test", r.s.Topic)
	if err != nil {
		r.t.Fatal(err)
	}
	defer db.Close()
	_, refused, err := db.InsertAlerts(r.t.Context(), []streamflow.Alert{{
		ID: id, Rule: "r", Symbol: "A", When: "price above 1", Severity: streamflow.SeverityInfo, Time: time.Now().UTC(), Text: "x", Position: "stock_ticks/0/0",
	}})
	if err != nil || len(refused) > 0 {
		r.t.Fatal(refused, err)
	}
}

// desired reads what the bucket holds of a function.
func (r *opsRig) desired(name string) (d streamflow.Desired) {
	r.t.Helper()
	js, err := r.s.natsFlags.connect("test", slog.New(slog.DiscardHandler))
	if err != nil {
		r.t.Fatal(err)
	}
	defer js.Close()
	var bucket fleet.Bucket = js.Bucket(streamflow.BucketFunctions)
	all, err := read(r.t.Context(), bucket)
	if err != nil {
		r.t.Fatal(err)
	}
	if err := json.Unmarshal(all[name].value, &d); err != nil {
		r.t.Fatal(err)
	}
	return d
}

// refused has the bridge refuse n records, and returns their dead letters.
func (r *opsRig) refused(n int) (ids []uint64) {
	r.t.Helper()
	client, err := kafka.Connect(r.t.Context(), r.s.config("test", slog.New(slog.DiscardHandler)))
	if err != nil {
		r.t.Fatal(err)
	}
	defer client.Close()
	for range n {
		if err := client.ProduceSync(r.t.Context(), &kgo.Record{Topic: r.s.Topic, Key: []byte("A"), Value: []byte("{")}).FirstErr(); err != nil {
			r.t.Fatal(err)
		}
	}
	var page api.DeadLetterPage
	r.until("the dead letters", "/api/deadletters", &page, func() bool { return len(page.Items) == n })
	for _, l := range page.Items {
		ids = append(ids, l.ID)
	}
	return ids
}

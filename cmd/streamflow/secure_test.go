package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"streamflow"
	"streamflow/api"
	"streamflow/infra/kafka"
)

// warnings keeps what the parts complain of.
type warnings struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (w *warnings) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(b)
}

func (w *warnings) lines() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Split(w.text.String(), "\n")
}

// secureRig is `streamflow up --secure`, and somebody who has the key.
func secureRig(t *testing.T) (*opsRig, *warnings) {
	t.Helper()
	said := &warnings{}
	r := newLoggedOpsRig(t, slog.New(slog.NewTextHandler(said, &slog.HandlerOptions{Level: slog.LevelWarn})), "--secure")
	pool := x509.NewCertPool()
	ca, err := os.ReadFile(r.v.files.CA)
	if err != nil || !pool.AppendCertsFromPEM(ca) {
		t.Fatal(err)
	}
	key, err := os.ReadFile(r.v.file(partAdmin, "api-key"))
	if err != nil {
		t.Fatal(err)
	}
	r.key = string(key)
	r.client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	t.Cleanup(r.client.CloseIdleConnections)
	r.until("the keys", "/api/stocks", nil, func() bool { return true }) // before they are read, nobody is let in
	return r, said
}

// TestSecureSystem: everything works with the few rights that each part has, and
// nobody does anything without or beyond his.
func TestSecureSystem(t *testing.T) {
	r, said := secureRig(t)
	strangers, err := openVault(t.TempDir(), guardedStages(r.s.topicFlags, streamflow.GroupBridge), hostsOf())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"a tick comes to the websocket", r.tickToWebsocket},
		{"alerts, events and logins", r.allFunctions},
		{"the API, journeys, letters, functions", func(*testing.T) { r.endToEnd() }},
		{"the command line", r.commandLine},
		{"nothing was refused to a part", func(t *testing.T) {
			for _, line := range said.lines() {
				if low := strings.ToLower(line); strings.Contains(low, "violation") || strings.Contains(low, "denied") || strings.Contains(low, "authoriz") {
					t.Error(line)
				}
			}
		}},
		{"strangers stay outside", func(t *testing.T) { r.strangers(t, strangers) }},
		{"NATS: no more than one's own", r.natsRights},
		{"Kafka: no more than one's own", r.kafkaRights},
		{"PostgreSQL: no more than one's own", r.tableRights},
	} {
		if !t.Run(c.name, func(t *testing.T) { outer := r.t; r.t = t; defer func() { r.t = outer }(); c.run(t) }) {
			for _, line := range said.lines() {
				t.Log(line)
			}
		}
	}
}

func (r *opsRig) tickToWebsocket(t *testing.T) {
	dialer := websocket.Dialer{TLSClientConfig: r.client.Transport.(*http.Transport).TLSClientConfig}
	url := strings.Replace(r.url, "https://", "wss://", 1) + "/ws"
	if _, answer, err := dialer.DialContext(t.Context(), url, nil); err == nil || answer == nil || answer.StatusCode != http.StatusUnauthorized {
		t.Errorf("without a key: %v", err)
	}
	conn, _, err := dialer.DialContext(t.Context(), url, http.Header{"X-Api-Key": {r.key}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.WriteJSON(map[string][]string{"subscribe": {"ticks.LIVE"}}); err != nil {
		t.Fatal(err)
	}
	if status, text := r.call("POST", "/api/ticks", tickJSON("LIVE", 42.5), nil); status != http.StatusCreated {
		t.Fatal(status, text)
	}
	if err := conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	for {
		_, text, err := conn.ReadMessage()
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "ticks.LIVE") && strings.Contains(string(text), "42.5") {
			return
		}
	}
}

func tickJSON(symbol string, price float64) string {
	return fmt.Sprintf(`{"ticks":[{"symbol":%q,"price":%v,"volume":1,"timestamp":%q}]}`, symbol, price, time.Now().UTC().Format(time.RFC3339Nano))
}

// allFunctions has every function do something: what it needs, it may.
func (r *opsRig) allFunctions(t *testing.T) {
	if status, text := r.call("PUT", "/api/rules/dear", `{"symbol":"DEAR","when":"price crosses above 100"}`, nil); status >= 300 {
		t.Fatal(status, text)
	}
	feed := r.v.as(r.s, "simulate-events")
	for topic, value := range map[string]string{
		streamflow.TopicEvents:     `{"event_id":"e-1","type":"purchase","user_id":"u-7","product_id":"p-3","price":19.99,"currency":"EUR","timestamp":%q}`,
		streamflow.TopicUserEvents: `{"user_id":"u-7","user_email":"ada@example.com","type":"login","ip":"192.0.2.7","timestamp":%q}`,
	} {
		client := r.kafka(t, feed)
		record := &kgo.Record{Topic: topic, Key: []byte("u-7"), Value: fmt.Appendf(nil, value, time.Now().UTC().Format(time.RFC3339Nano))}
		if err := client.ProduceSync(t.Context(), record).FirstErr(); err != nil {
			t.Fatal(topic, err)
		}
	}
	var alerts api.AlertPage
	for end := time.Now().Add(2 * time.Minute); len(alerts.Alerts) == 0; time.Sleep(100 * time.Millisecond) {
		for price := range 3 { // the rule is known to the function a moment later
			if status, text := r.call("POST", "/api/ticks", tickJSON("DEAR", 99+2*float64(price)), nil); status != http.StatusCreated {
				t.Fatal(status, text)
			}
		}
		if status, text := r.call("GET", "/api/alerts?symbol=DEAR", "", &alerts); status != http.StatusOK || time.Now().After(end) {
			t.Fatal("no alert is stored: ", status, text)
		}
	}
	if status, text := r.call("POST", "/api/alerts/acknowledge", fmt.Sprintf(`{"ids":[%q]}`, alerts.Alerts[0].ID), nil); status >= 300 {
		t.Error(status, text)
	}
	// Shards are laid out anew, and a replay begins.
	var f api.Function
	if status, text := r.call("PATCH", "/api/functions/indicators", `{"shards":2}`, nil); status != http.StatusOK {
		t.Fatal(status, text)
	}
	r.until("two shards", "/api/functions/indicators", &f, func() bool { return f.Layout.Shards == 2 && len(f.Shards) == 2 })
	if status, text := r.call("POST", "/api/functions/candles/replay", `{"from":"1h"}`, nil); status >= 300 {
		t.Fatal(status, text)
	}
	r.until("a replay", "/api/functions/candles", &f, func() bool { return f.Layout.Replay != "" })
	// What is old is removed by who may, and requests are answered.
	if s, err := r.nats(t, partTrim).Stream(t.Context(), streamflow.StreamEvents); err != nil {
		t.Error(err)
	} else if err := s.Purge(t.Context(), jetstream.WithPurgeSequence(1)); err != nil {
		t.Error(err)
	}
	if m, err := r.nats(t, partAdmin).Conn().RequestWithContext(t.Context(), "stocks.DEAR.last", nil); err != nil || !strings.Contains(string(m.Data), "DEAR") {
		t.Errorf("the service answers %v, %v", m, err)
	}
	// buckets and logins publish, and the reverse functions bring to Kafka.
	js := r.nats(t, partAdmin)
	for _, subject := range []string{"results.buckets.>", "results.logins.>", "candles.>", "indicators.>", "alerts.>"} {
		r.eventually(t, subject, func(ctx context.Context) error {
			stream, err := js.StreamNameBySubject(ctx, subject)
			if err != nil {
				return err
			}
			s, err := js.Stream(ctx, stream)
			if err != nil {
				return err
			}
			info, err := s.Info(ctx, jetstream.WithSubjectFilter(subject))
			if err == nil && len(info.State.Subjects) == 0 {
				err = errors.New("nothing is there")
			}
			return err
		})
	}
	admin := kadm.NewClient(r.kafka(t, r.s))
	r.eventually(t, streamflow.TopicAlerts, func(ctx context.Context) error {
		ends, err := admin.ListEndOffsets(ctx, streamflow.TopicAlerts)
		total := int64(0)
		ends.Each(func(o kadm.ListedOffset) { total += o.Offset })
		if err == nil && total == 0 {
			err = errors.New("nothing is there")
		}
		return err
	})
}

// eventually tries again and again for two minutes.
func (r *opsRig) eventually(t *testing.T, what string, try func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for {
		err := try(ctx)
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s: %v", what, err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// commandLine: the file of variables is all that a process needs.
func (r *opsRig) commandLine(t *testing.T) {
	r.setenv(t, partAdmin)
	for _, args := range [][]string{{"verify", "--wait", "2m"}, {"functions"}, {"rules"}, {"keys"}, {"topics"}} {
		if code := run(append(args, "--log-level=error")); code != 0 {
			t.Errorf("streamflow %s: exit code %d", strings.Join(args, " "), code)
		}
	}
	r.setenv(t, kafka.StageIngest)
	lines := filepath.Join(t.TempDir(), "ticks.json")
	if err := os.WriteFile(lines, fmt.Appendf(nil, `{"symbol":"FILE","price":1,"volume":1,"timestamp":%q}`+"\n", time.Now().UTC().Format(time.RFC3339)), 0o600); err != nil {
		t.Fatal(err)
	}
	if code := run([]string{"ingest", lines, "--log-level=error"}); code != 0 {
		t.Errorf("streamflow ingest: exit code %d", code)
	}
	r.until("the line of the file", "/api/stocks/FILE", nil, func() bool { return true })
	r.setenv(t, "candles")
	if code := run([]string{"topics", "--keep=25h", "--log-level=error"}); code != exitFailed {
		t.Errorf("candles changes topics: exit code %d", code)
	}
}

func (r *opsRig) setenv(t *testing.T, part string) {
	t.Helper()
	text, err := os.ReadFile(r.v.file(part, "env"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "='"); ok {
			t.Setenv(name, strings.TrimSuffix(value, "'"))
		}
	}
}

func (r *opsRig) kafka(t *testing.T, as servers) *kgo.Client {
	t.Helper()
	client, err := kafka.Connect(t.Context(), as.config("test", slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// nats connects with an ordinary client as a part.
func (r *opsRig) nats(t *testing.T, part string, opts ...nats.Option) jetstream.JetStream {
	t.Helper()
	seed, err := nats.NkeyOptionFromSeed(r.v.file(part, "nkey"))
	if err != nil {
		t.Fatal(err)
	}
	nc, err := nats.Connect(r.s.NATS, append(opts, seed, nats.RootCAs(r.v.files.CA), nats.CustomInboxPrefix(inbox(part)))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

// strangers: no credentials, somebody else's, none that hold any more.
func (r *opsRig) strangers(t *testing.T, other *vault) {
	log := slog.New(slog.DiscardHandler)
	without, nobody := other.as(r.s, "bridge"), r.v.as(r.s, "bridge")
	other.files.CA = r.v.files.CA
	wrong := other.as(r.s, "bridge")
	nobody.kafkaSecurity = kafkaSecurity{CA: r.v.files.CA}
	nobody.natsSecurity = natsSecurity{CA: r.v.files.CA}
	nobody.passwordFlags = passwordFlags{}
	for name, c := range map[string]struct {
		as    servers
		words [3]string // of Kafka, NATS, PostgreSQL
	}{
		"nobody":              {nobody, [3]string{"KAFKA_SASL_MECHANISM", "NATS_NKEY", "password"}},
		"wrong credentials":   {wrong, [3]string{"login of user bridge", "NATS_NKEY", "password"}},
		"another's authority": {without, [3]string{"KAFKA_TLS_CA", "NATS_TLS_CA", "certificate"}},
	} {
		_, kafkaErr := kafka.Connect(t.Context(), c.as.config("stranger", log))
		_, natsErr := c.as.natsFlags.connect("stranger", log)
		_, databaseErr := c.as.postgresFlags.connect(t.Context(), "stranger", c.as.Topic)
		for i, err := range []error{kafkaErr, natsErr, databaseErr} {
			if err == nil || !strings.Contains(err.Error(), c.words[i]) {
				t.Errorf("%s, server %d: %v, want %q", name, i, err, c.words[i])
			}
		}
	}
	for name, key := range map[string]string{"no key": "", "a wrong key": r.key[:len(r.key)-4] + "AAAA"} {
		asks := *r
		asks.key = key
		if status, text := asks.call("GET", "/api/stocks", "", nil); status != http.StatusUnauthorized {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
	if answer, err := http.Get(strings.Replace(r.url, "https://", "http://", 1) + "/api/stocks"); err == nil && answer.StatusCode < 400 {
		t.Errorf("in the clear: %s", answer.Status)
	}
}

// denied fails unless the server refuses do, which must name the subject.
func (r *opsRig) denied(t *testing.T, part, subject string, do func(context.Context, jetstream.JetStream) error) {
	t.Helper()
	refused := make(chan error, 16)
	js := r.nats(t, part, nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { refused <- err }))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- do(ctx, js) }()
	for {
		select {
		case err := <-refused:
			if errors.Is(err, nats.ErrPermissionViolation) && strings.Contains(strings.ToLower(err.Error()), strings.ToLower(subject)) {
				return
			}
			t.Errorf("%s: %v, want that %s is refused", part, err, subject)
		case err := <-done:
			if err == nil {
				t.Errorf("%s may do it: %s", part, subject)
				return
			}
			done = nil // the refusal may come later
		case <-ctx.Done():
			t.Errorf("%s is not refused: %s", part, subject)
			return
		}
	}
}

func (r *opsRig) natsRights(t *testing.T) {
	publish := func(subject string) func(context.Context, jetstream.JetStream) error {
		return func(ctx context.Context, js jetstream.JetStream) error {
			_, err := js.Publish(ctx, subject, []byte(`{}`))
			return err
		}
	}
	head := func() uint64 {
		t.Helper()
		s, err := r.nats(t, partAdmin).Stream(t.Context(), streamflow.StreamTicks)
		if err != nil {
			t.Fatal(err)
		}
		return s.CachedInfo().State.LastSeq
	}
	before := head()
	for _, part := range []string{"bridge", "api", "candles", "archive", partTrim} {
		r.denied(t, part, "$JS.API.STREAM.DELETE.TICKS", func(ctx context.Context, js jetstream.JetStream) error {
			return js.DeleteStream(ctx, streamflow.StreamTicks)
		})
	}
	r.denied(t, "bridge", "$JS.API.STREAM.PURGE.TICKS", func(ctx context.Context, js jetstream.JetStream) error {
		s, err := js.Stream(ctx, streamflow.StreamTicks)
		if err != nil {
			return err
		}
		return s.Purge(ctx)
	})
	r.denied(t, "bridge", "$JS.API.STREAM.CREATE.MINE", func(ctx context.Context, js jetstream.JetStream) error {
		_, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: "MINE", Subjects: []string{"mine"}})
		return err
	})
	r.denied(t, "candles", "$JS.API.STREAM.PURGE.TICKS", func(ctx context.Context, js jetstream.JetStream) error {
		s, err := js.Stream(ctx, streamflow.StreamTicks)
		if err != nil {
			return err
		}
		return s.Purge(ctx)
	})
	for part, subjects := range map[string][]string{
		"api":     {"ticks.AAPL", "cursor.stock_ticks.0", "candles.1m.AAPL", "dlq.stock_ticks"},
		"bridge":  {"candles.1m.AAPL", "checkpoint.candles.1.0", "$KV.rules.x", "dlq.candles.x"},
		"candles": {"ticks.AAPL", "indicators.AAPL", "checkpoint.indicators.1.0", "$KV.functions.alerts", "$KV.functions.candles", "$KV.keys.x", "$KV.rules.x"},
		"buckets": {"results.logins.x"},
		"archive": {"ticks.AAPL"},
	} {
		for _, subject := range subjects {
			r.denied(t, part, subject, publish(subject))
		}
	}
	r.denied(t, "candles", "$JS.API.STREAM.INFO.KV_keys", func(ctx context.Context, js jetstream.JetStream) error {
		_, err := js.KeyValue(ctx, streamflow.BucketKeys)
		return err
	})
	r.denied(t, "candles", inbox("api")+".>", func(_ context.Context, js jetstream.JetStream) error {
		if _, err := js.Conn().SubscribeSync(inbox("api") + ".>"); err != nil {
			return err
		}
		return errors.Join(js.Conn().Flush(), errors.New("wait for the refusal"))
	})
	if after := head(); after != before {
		t.Errorf("TICKS went on from %d to %d", before, after)
	}
}

func (r *opsRig) kafkaRights(t *testing.T) {
	for part, topics := range map[string][]string{
		"bridge": {streamflow.TopicTicks, streamflow.TopicCandles}, "simulate": {streamflow.TopicCandles, streamflow.TopicEvents},
		"api": {streamflow.TopicCandles}, "reverse-alerts": {streamflow.TopicCandles, streamflow.TopicTicks}, "candles": {streamflow.TopicTicks},
	} {
		client := r.kafka(t, r.v.as(r.s, part))
		for _, topic := range topics {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			err := client.ProduceSync(ctx, &kgo.Record{Topic: topic, Value: []byte("x")}).FirstErr()
			cancel()
			if !errors.Is(err, kerr.TopicAuthorizationFailed) && !errors.Is(err, kerr.ClusterAuthorizationFailed) {
				t.Errorf("%s writes to %s: %v", part, topic, err)
			}
		}
		admin := kadm.NewClient(client)
		if deleted, err := admin.DeleteTopics(t.Context(), streamflow.TopicTicks); err == nil && deleted.Error() == nil {
			t.Errorf("%s deletes a topic", part)
		}
		if _, err := admin.CreateTopic(t.Context(), 1, 1, nil, "mine-"+part); !errors.Is(err, kerr.TopicAuthorizationFailed) && !errors.Is(err, kerr.ClusterAuthorizationFailed) {
			t.Errorf("%s makes a topic: %v", part, err)
		}
	}
}

func (r *opsRig) tableRights(t *testing.T) {
	for part, statements := range map[string][]string{
		"api":             {"DELETE FROM stock_ticks", "INSERT INTO candles SELECT * FROM candles", "UPDATE alerts SET text = ''", "DROP TABLE alerts", "CREATE TABLE mine (x int)", "CREATE TEMPORARY TABLE mine (x int)"},
		"archive":         {"DELETE FROM stock_ticks", "TRUNCATE stock_ticks", "SELECT * FROM alerts", "ALTER TABLE stock_ticks ADD mine int"},
		"archive-candles": {"SELECT * FROM stock_ticks", "DELETE FROM candles"},
		"admin":           {"CREATE ROLE mine", "ALTER ROLE api PASSWORD 'mine'"},
	} {
		url, err := r.v.as(r.s, part).into(r.v.as(r.s, part).Database)
		if err != nil {
			t.Fatal(err)
		}
		conn, err := pgx.Connect(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		for _, sql := range statements {
			if _, err := conn.Exec(t.Context(), sql); err == nil || !strings.Contains(err.Error(), "42501") {
				t.Errorf("%s may %s: %v", part, sql, err)
			}
		}
		if err := conn.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if conn, err := pgx.Connect(t.Context(), strings.Replace(url, "sslmode=verify-full", "sslmode=disable", 1)); err == nil {
			_ = conn.Close(t.Context())
			t.Errorf("%s comes in the clear", part)
		}
	}
}

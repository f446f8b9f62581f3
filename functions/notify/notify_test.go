package notify

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"streamflow"
)

func TestRetriesWithBackoffUntilDelivered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, b := newQueue(alert(1, "AAPL", streamflow.SeverityInfo)), &book{}
		var ids []string
		var attempts []string
		one(hook(t, "ops", "https://x.example/", nil), q, b, transport(func(r *http.Request) (*http.Response, error) {
			ids, attempts = append(ids, r.Header.Get(HeaderDelivery)), append(attempts, r.Header.Get(HeaderAttempt))
			switch len(ids) {
			case 1:
				return nil, errors.New("connection refused")
			case 2:
				return respond(503)
			case 3:
				return respond(429, "Retry-After", "90")
			}
			return respond(204)
		}))
		if len(ids) != 4 || ids[0] != "ops.id-1" || ids[3] != ids[0] || attempts[3] != "4" {
			t.Errorf("deliveries %v, attempts %v", ids, attempts)
		}
		d := q.delays
		if len(d) != 3 || d[0] < 500*time.Millisecond || d[0] > time.Second || d[1] < time.Second || d[1] > 2*time.Second || d[2] != 90*time.Second {
			t.Errorf("delays %v", d)
		}
		r := b.records
		if len(r) != 4 || r[0].Status != 0 || r[0].Error != "connection refused" || r[1].Error != "the receiver answers 503 Service Unavailable: said the receiver" ||
			r[3].Status != 204 || r[3].Error != "" || r[3].Attempt != 4 || r[3].AlertID != "id-1" || r[3].Webhook != "ops" {
			t.Errorf("records %+v", r)
		}
		if len(q.acked) != 1 || len(b.letters) != 0 || !q.closed {
			t.Errorf("acknowledged %v, dead letters %v, closed %v", q.acked, b.letters, q.closed)
		}
	})
}

func TestGivesUp(t *testing.T) {
	for _, c := range []struct {
		name     string
		answer   func() (*http.Response, error)
		attempts int
		reason   string
	}{
		{"after a bound", func() (*http.Response, error) { return respond(500) }, 3, "given up after 3 attempts, the last: the receiver answers 500 Internal Server Error"},
		{"at once what is refused", func() (*http.Response, error) { return respond(422) }, 1, "the receiver answers 422"},
		{"at once a redirect", func() (*http.Response, error) { return respond(302, "Location", "https://y.example/") }, 1, "redirects are not followed"},
		{"a request that took too long is tried again", func() (*http.Response, error) { return respond(408) }, 3, "the receiver answers 408"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q, b := newQueue(alert(1, "AAPL", streamflow.SeverityInfo)), &book{}
				w := hook(t, "ops", "https://x.example/", func(w *Webhook) { w.MaxAttempts = 3 })
				one(w, q, b, transport(func(*http.Request) (*http.Response, error) { return c.answer() }))
				letters := b.letters["notify-ops"]
				if len(b.records) != c.attempts || len(letters) != 1 || !strings.Contains(letters[0].Detail, c.reason) || letters[0].Reason != ReasonUndelivered {
					t.Errorf("%d attempts, dead letters %+v", len(b.records), letters)
				}
				if letters[0].Position.String() != "alerts.e/0/1" || !bytes.Contains(letters[0].Value, []byte(`"id-1"`)) {
					t.Errorf("%+v", letters[0])
				}
				if !strings.Contains(q.termed[1], c.reason) {
					t.Errorf("ended with %q", q.termed[1])
				}
			})
		})
	}
}

// 410 ends a webhook, not its neighbours.
func TestGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone := newQueue(alert(1, "AAPL", "info"), alert(2, "AAPL", "info"), alert(3, "AAPL", "info"))
		fine := newQueue(alert(1, "AAPL", "info"), alert(2, "AAPL", "info"))
		b := &book{}
		one := func(w *Webhook) { w.Concurrency = 1 }
		stop := start(Config{
			Webhooks: []Webhook{hook(t, "gone", "https://gone.example/", one), hook(t, "fine", "https://fine.example/", one)},
			Open: func(w Webhook) Queue {
				if w.Name == "gone" {
					return gone
				}
				return fine
			},
			Recorder: b, DeadLetters: b,
			Transport: transport(func(r *http.Request) (*http.Response, error) {
				if r.URL.Host == "gone.example" {
					return respond(410)
				}
				return respond(200)
			}),
		})
		fine.left.Wait()
		synctest.Wait()
		if !gone.closed || len(gone.termed) != 1 || len(gone.waiting) != 2 || len(b.letters["notify-gone"]) != 1 || len(fine.acked) != 2 {
			t.Errorf("gone: closed %v, ended %v, %d wait; fine: %v", gone.closed, gone.termed, len(gone.waiting), fine.acked)
		}
		stop()
	})
}

func TestOnlyWhatIsWantedIsDelivered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		replayed, view, broken := alert(1, "AAPL", "critical"), alert(2, "AAPL", "critical"), alert(3, "AAPL", "critical")
		replayed.Headers = []streamflow.Header{{Key: streamflow.HeaderReplay, Value: []byte("x")}}
		view.Position = streamflow.Position{}
		broken.Data = []byte("{")
		q, b := newQueue(replayed, view, broken, alert(4, "AAPL", "info"), alert(5, "MSFT", "critical"), alert(6, "AAPL", "critical")), &book{}
		w := hook(t, "ops", "https://x.example/", func(w *Webhook) {
			w.Severities, w.Symbols, w.Rules = []streamflow.Severity{"critical"}, []string{"AAPL"}, []string{"r"}
		})
		one(w, q, b, transport(func(*http.Request) (*http.Response, error) { return respond(200) }))
		if len(b.records) != 1 || b.records[0].AlertID != "id-6" || len(q.acked) != 5 || q.termed[3] != "it is no alert" {
			t.Errorf("delivered %+v, acknowledged %v, ended %v", b.records, q.acked, q.termed)
		}
	})
}

// A server that cannot be reached costs a delivery nothing but its record; a
// dead letter must be stored before the message is done with.
func TestServersThatFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, b := newQueue(alert(1, "AAPL", "info")), &book{fail: 1}
		q.broken = 3
		one(hook(t, "ops", "https://x.example/", nil), q, b, transport(func(*http.Request) (*http.Response, error) { return respond(200) }))
		if len(q.acked) != 1 || len(b.records) != 0 {
			t.Errorf("acknowledged %v, records %v", q.acked, b.records)
		}
		q, b = newQueue(alert(1, "AAPL", "info")), &book{fail: 2} // the record and the letter
		one(hook(t, "ops", "https://x.example/", nil), q, b, transport(func(*http.Request) (*http.Response, error) { return respond(400) }))
		if len(b.letters["notify-ops"]) != 1 || len(q.termed) != 1 || len(q.delays) != 1 {
			t.Errorf("letters %v, ended %v, delays %v", b.letters, q.termed, q.delays)
		}
	})
}

// A receiver that hangs holds up its own alerts only, and no more attempts are
// on their way than it may have.
func TestSlowReceiverHoldsUpNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var messages []streamflow.Message
		for i := range 50 {
			messages = append(messages, alert(i+1, "AAPL", "info"))
		}
		queues := map[string]*queue{"slow": newQueue(messages...), "fast": newQueue(messages...)}
		var mu sync.Mutex
		busy, most := 0, 0
		b := &book{}
		began := time.Now()
		stop := start(Config{
			Webhooks:    []Webhook{hook(t, "slow", "https://slow.example/", func(w *Webhook) { w.Concurrency = 3 }), hook(t, "fast", "https://fast.example/", nil)},
			Open:        func(w Webhook) Queue { return queues[w.Name] },
			Recorder:    b,
			DeadLetters: b,
			Transport: transport(func(r *http.Request) (*http.Response, error) {
				if r.URL.Host == "slow.example" {
					mu.Lock()
					busy++
					most = max(most, busy)
					mu.Unlock()
					<-r.Context().Done()
					mu.Lock()
					busy--
					mu.Unlock()
					return nil, r.Context().Err()
				}
				return respond(200)
			}),
		})
		queues["fast"].left.Wait()
		if took := time.Since(began); took > 0 {
			t.Errorf("the fast one took %s", took)
		}
		time.Sleep(time.Minute)
		stop()
		if most != 3 {
			t.Errorf("%d attempts at a time", most)
		}
		if took := time.Since(began); took > time.Minute+grace {
			t.Errorf("it took %s to stop", took-time.Minute)
		}
	})
}

// What is on its way when the notifier stops is given a moment, then left for later.
func TestStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, b := newQueue(alert(1, "AAPL", "info")), &book{}
		entered := make(chan struct{})
		stop := start(Config{
			Webhooks: []Webhook{hook(t, "ops", "https://x.example/", func(w *Webhook) { w.MaxAttempts = 1 })}, Open: func(Webhook) Queue { return q }, DeadLetters: b,
			Transport: transport(func(r *http.Request) (*http.Response, error) {
				close(entered)
				<-r.Context().Done()
				return nil, r.Context().Err()
			}),
		})
		<-entered
		stop()
		if len(q.delays) != 1 || q.delays[0] != 0 || len(b.letters) != 0 {
			t.Errorf("delays %v, letters %v: an attempt that we broke off is no reason to give up", q.delays, b.letters)
		}
		time.Sleep(time.Second)
		synctest.Wait()
	})
}

func TestDelaysGrow(t *testing.T) {
	for attempts := 0; attempts < 200; attempts++ {
		d := delay(attempts, 0)
		top := longestRetry
		if attempts <= 10 {
			top = firstRetry << max(attempts-1, 0)
		}
		if d < top/2 || d > top {
			t.Errorf("after %d attempts %s, want %s to %s", attempts, d, top/2, top)
		}
	}
	if d := delay(1, 30*time.Hour); d != longestAsked {
		t.Errorf("a receiver that asks for days is given %s", d)
	}
}

// Neither the secret nor the URL, which is one for many receivers, is logged.
func TestLogsHoldNoSecret(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		q, b := newQueue(alert(1, "AAPL", "info")), &book{}
		w := hook(t, "ops", "https://x.example/token-of-the-path", func(w *Webhook) { w.MaxAttempts = 2 })
		logger := slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		stop := start(Config{
			Webhooks: []Webhook{w}, Open: func(Webhook) Queue { return q }, Recorder: b, DeadLetters: b, Logger: logger,
			Transport: transport(func(r *http.Request) (*http.Response, error) { return nil, errors.New("refused") }),
		})
		q.left.Wait()
		stop()
		logger.Info("all of it", "webhook", w, "secret", w.Secret)
		text := log.String() + b.records[0].Error + b.letters["notify-ops"][0].Detail
		if strings.Contains(text, secret) || strings.Contains(text, "token-of-the-path") {
			t.Error(text)
		}
		if strings.Count(text, "tried again") != 1 || !strings.Contains(text, `"webhook":"ops"`) {
			t.Errorf("what happened is not in the log: %s", text)
		}
	})
}

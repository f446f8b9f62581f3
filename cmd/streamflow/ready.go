package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"streamflow/infra/jetstream"
	"streamflow/infra/kafka"
)

// probe is a server that a part cannot work without.
type probe struct {
	name string
	try  func(ctx context.Context) error
}

// probeTimeout is how long all probes of a part may take together.
const probeTimeout = 3 * time.Second

// kafkaProbe asks for the ends of the topic: a broker that answers and has no
// leader for a partition does not pass.
func (s servers) kafkaProbe(log *slog.Logger) probe {
	return probe{"kafka", func(ctx context.Context) error {
		client, err := kafka.Connect(ctx, s.config("ready", log))
		if err != nil {
			return err
		}
		defer client.Close()
		_, _, err = kafka.Marks(ctx, client, s.Topic)
		return err
	}}
}

// natsProbe asks for the head of the stream of ticks.
func (s servers) natsProbe(log *slog.Logger) probe {
	var mu sync.Mutex
	var js *jetstream.Client // kept: it connects again by itself
	return probe{"nats", func(ctx context.Context) (err error) {
		mu.Lock()
		defer mu.Unlock()
		if js == nil {
			if js, err = s.natsFlags.connect("ready", log); err != nil {
				return err
			}
		}
		if !js.Connected() {
			return errors.New("the connection is lost; it is being made again")
		}
		_, err = js.Ticks().Head(ctx)
		return err
	}}
}

// postgresProbe asks the database for its version.
func (s servers) postgresProbe() probe {
	return probe{"postgres", func(ctx context.Context) error {
		db, err := s.postgresFlags.connect(ctx, "ready", s.Topic)
		if err != nil {
			return err
		}
		db.Close()
		return nil
	}}
}

// httpProbe asks the API whether it answers.
func httpProbe(addr, cert string) probe {
	return probe{"api", func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, (&healthCmd{HTTPAddr: addr, HTTPCert: cert, Alive: true}).url(), nil)
		if err != nil {
			return err
		}
		client, err := localClient(cert)
		if err != nil {
			return err
		}
		response, err := client.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return errors.New(response.Status)
		}
		return nil
	}}
}

// serveReady answers 200 if all probes pass, else 503 and what did not.
func serveReady(probes []probe) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), probeTimeout)
		defer cancel()
		errs := make([]error, len(probes))
		var wg sync.WaitGroup
		for i, p := range probes {
			wg.Go(func() { errs[i] = p.try(ctx) })
		}
		wg.Wait()
		said := make(map[string]string)
		status := http.StatusOK
		for i, p := range probes {
			said[p.name] = "ok"
			if errs[i] != nil {
				said[p.name], status = errs[i].Error(), http.StatusServiceUnavailable
			}
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		if err := json.NewEncoder(w).Encode(said); err != nil {
			fmt.Fprintln(w, err)
		}
	}
}

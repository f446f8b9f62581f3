package main

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"streamflow"
	"streamflow/infra/kafka"
)

// `simulate --format` makes ticks in each format of a schema registry, which come
// all the way: the stores are equal, and none is refused.
func TestSimulateFormats(t *testing.T) {
	fake := srfake.New()
	defer fake.Close()
	r := newOpsRig(t, "--schema-registry", fake.URL())
	log := slog.New(slog.DiscardHandler)
	for i, format := range []string{"avro", "protobuf", "json-schema"} {
		symbol := fmt.Sprintf("FORMAT%d", i)
		cmd := parse(t, "simulate", "--format", format, "--schema-registry", fake.URL(), "--kafka", r.s.Brokers, "--symbols", symbol, "--rate", "100").Simulate.Ticks
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- cmd.Run(ctx, log) }()
		r.until(format, "/api/stocks/"+symbol, nil, func() bool { return true })
		stop()
		if err := <-ended; err != nil {
			t.Fatal(format, err)
		}
	}
	client, err := kafka.Connect(t.Context(), r.s.config("test", log), kgo.ConsumeTopics(r.s.Topic))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	client.PollFetches(t.Context()).EachRecord(func(record *kgo.Record) {
		if !streamflow.Framed(record.Value) {
			t.Errorf("%q is not framed", record.Value)
		}
	})
	report, err := compare(t.Context(), r.s, verifyFlags{Wait: time.Minute}, log)
	if err != nil || report.Differences != 0 || report.Ticks < 3 || report.DeadLetters != 0 || report.Waited != "" {
		t.Fatalf("%+v, %v", report, err)
	}
	for _, args := range [][]string{{"--format", "avro"}, {"--format", "avro", "--schema-registry", "http://127.0.0.1:1"}} {
		cmd := parse(t, append([]string{"simulate", "--kafka", r.s.Brokers, "--symbols", "X"}, args...)...).Simulate.Ticks
		if err := cmd.Run(t.Context(), log); err == nil {
			t.Errorf("%v: without a registry it sends", args)
		}
	}
}

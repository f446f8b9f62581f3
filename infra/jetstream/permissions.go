package jetstream

import (
	"slices"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"streamflow"
)

// StageTrim is the name of the part that holds the streams to their limits,
// [Client.KeepTrimmed].
const StageTrim = "trim"

// Permissions returns the subjects that a stage of the topology needs to
// publish and to subscribe to, with its answers coming to inbox: what it reads
// and writes by [streamflow.Flow], the buckets of its kind, and of JetStream's
// API what looks at those streams and moves its consumers on them. Nobody may
// make, change or delete a stream. A function may purge the stream of its
// results, in which it forgets the state of shards that are no more, and trim all.
func Permissions(s streamflow.Stage, inbox string) (publish, subscribe []string) {
	subscribe = []string{inbox + ".>"}
	publish = []string{apiInfo} // whether JetStream is there
	for _, stream := range streamsOf(s) {
		publish = append(publish, looks(stream)...)
	}
	for _, p := range s.Writes {
		if p.Kind == streamflow.KindStream {
			publish = append(publish, written(s, p.Name)...)
		}
	}
	switch {
	case function(s):
		publish = append(publish, functionBuckets(s.Name)...)
	case s.Name == StageTrim:
		publish = append(publish, trims()...)
	case s.Room == "api":
		more, services := serves()
		publish, subscribe = append(publish, more...), append(subscribe, services...)
	}
	slices.Sort(publish)
	return slices.Compact(publish), subscribe
}

// function reports whether a stage is run by a worker.
func function(s streamflow.Stage) bool {
	return s.Durable != "" || strings.HasPrefix(s.Room, "functions/")
}

// streamsOf are the streams that a stage reads or writes. To write one is to
// read the position in it. What a function cannot step goes to the dead letters.
func streamsOf(s streamflow.Stage) (streams []string) {
	for _, p := range slices.Concat(s.Reads, s.Writes) {
		if p.Kind == streamflow.KindStream {
			streams = append(streams, p.Name)
		}
	}
	if function(s) {
		streams = append(streams, streamflow.StreamDeadLetters)
	}
	if s.Room == "api" || s.Name == StageTrim {
		streams = append(streams, looked...)
	}
	slices.Sort(streams)
	return slices.Compact(streams)
}

// looks is what it takes to read a stream, and to have consumers on it. Whose
// consumer it is, subjects cannot tell: who reads a stream may move the others'.
func looks(stream string) []string {
	var list []string
	for _, request := range []string{
		"STREAM.INFO.*", "STREAM.MSG.GET.*", "DIRECT.GET.*", "DIRECT.GET.*.>",
		"CONSUMER.CREATE.*.>", "CONSUMER.INFO.*.>", "CONSUMER.LIST.*", "CONSUMER.NAMES.*", "CONSUMER.MSG.NEXT.*.>",
		"CONSUMER.RESET.*.>", "CONSUMER.UNPIN.*.>", "CONSUMER.PAUSE.*.>", "CONSUMER.DELETE.*.>",
	} {
		list = append(list, "$JS.API."+strings.Replace(request, "*", stream, 1))
	}
	return append(list, "$JS.ACK."+stream+".>", "$JS.FC."+stream+".>")
}

// written are the subjects of a stream that a stage publishes to.
func written(s streamflow.Stage, stream string) []string {
	all := subjectsOf(stream)
	if !function(s) { // a mirror, with its cursors; the letters of functions are not its own
		for i, subject := range all {
			if subject == streamflow.SubjectAllLetters {
				all[i] = streamflow.SubjectAllDeadLetters
			}
		}
		return all
	}
	name := streamflow.Token(s.Name)
	if stream == streamflow.StreamResults {
		all[0] = "results." + name + ".>"
	}
	return []string{all[0], "checkpoint." + name + ".>", "state." + name + ".>", "$JS.API.STREAM.PURGE." + stream}
}

func subjectsOf(stream string) []string {
	all := Streams(DefaultLimits)
	i := slices.IndexFunc(all, func(c jetstream.StreamConfig) bool { return c.Name == stream })
	return slices.Clone(all[i].Subjects)
}

// functionBuckets is what a worker needs for a function: to read what is
// desired and the rules, and to say how it stands.
func functionBuckets(name string) []string {
	// By that of the ticks a worker tells whether it is ready, whatever it reads.
	list := []string{"dlq." + streamflow.Token(name) + ".>", "$JS.API.STREAM.INFO." + streamflow.StreamTicks}
	for _, bucket := range []string{streamflow.BucketFunctions, streamflow.BucketRules, streamflow.BucketStatus} {
		list = append(list, looks("KV_"+bucket)...)
	}
	token := streamflow.Token(name)
	return append(list,
		"$KV."+streamflow.BucketFunctions+"."+token+".>", // how its state is laid out; not what is desired of it
		"$KV."+streamflow.BucketStatus+".worker.>", "$KV."+streamflow.BucketStatus+".shard."+token+".>")
}

// trims is what it takes to hold streams to their limits: positions and states
// are brought forward before what stands around them is purged.
func trims() []string {
	list := []string{"checkpoint.>", "state.>", "cursor.>"}
	for _, stream := range looked {
		list = append(list, "$JS.API.STREAM.PURGE."+stream)
	}
	return list
}

// serves is what the API needs beside the streams: people's buckets, and the
// subjects at which it answers.
func serves() (publish, subscribe []string) {
	for _, bucket := range []string{streamflow.BucketFunctions, streamflow.BucketRules, streamflow.BucketKeys, streamflow.BucketLetters} {
		publish = append(append(publish, looks("KV_"+bucket)...), "$KV."+bucket+".>")
	}
	publish = append(publish, looks("KV_"+streamflow.BucketStatus)...)
	return publish, []string{streamflow.SubjectLastTick, streamflow.SubjectServedCandles, streamflow.SubjectNewestTicks, "$SRV.>"}
}

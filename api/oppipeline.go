package api

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// Pipeline is how all of the system runs, as it was measured.
type Pipeline struct {
	At         time.Time         `json:"at" example:"2025-11-21T14:30:00.5Z" doc:"When this was put together"`
	Stages     []PipelineStage   `json:"stages" nullable:"false" doc:"The parts of the system"`
	Edges      []PipelineEdge    `json:"edges" nullable:"false" doc:"The ways between the parts: who writes what somebody else reads"`
	Hops       []PipelineHop     `json:"hops" nullable:"false" doc:"The hops of a tick, in their order, with rates, lags and latencies"`
	Health     []CheckResult     `json:"health" nullable:"false" doc:"Each server, as GET /ready tries it"`
	HealthAt   *time.Time        `json:"healthAt" nullable:"true" example:"2025-11-21T14:29:58Z" doc:"When the servers were tried"`
	Kafka      *PipelineKafka    `json:"kafka,omitempty" doc:"Topics and groups; left out while Kafka does not answer"`
	Streams    []PipelineStream  `json:"streams" nullable:"true" doc:"Streams and their consumers; null while NATS does not answer"`
	Database   *PipelineDatabase `json:"database,omitempty" doc:"The database; left out while it does not answer"`
	Faults     []PipelineFault   `json:"faults" nullable:"false" doc:"What could not be measured, and why"`
	Throughput []ThroughputPoint `json:"throughput" nullable:"false" doc:"Committed ticks, as this server has taken them from the stream: a point for each second of up to 10 minutes, the oldest first"`
}

// PipelineStage is a part of the system.
type PipelineStage struct {
	Name    string   `json:"name" example:"bridge" doc:"Its name"`
	Room    string   `json:"room,omitempty" example:"bridge" doc:"Directory of its code; left out if it is outside"`
	Does    string   `json:"does" example:"checks every record" doc:"What it does"`
	Reads   []string `json:"reads" nullable:"false" example:"[\"topic:stock_ticks\"]" doc:"Places, as kind:name"`
	Writes  []string `json:"writes" nullable:"false" example:"[\"stream:TICKS\"]" doc:"Places, as kind:name"`
	Durable string   `json:"durable,omitempty" example:"candles-0" doc:"The consumer by which it reads a stream"`
	Group   string   `json:"group,omitempty" example:"streamflow-bridge" doc:"The group by which it reads a topic"`
}

// PipelineEdge is a way between two parts.
type PipelineEdge struct {
	From string `json:"from" example:"simulate" doc:"The part that writes"`
	To   string `json:"to" example:"bridge" doc:"The part that reads"`
	Via  string `json:"via" example:"topic:stock_ticks" doc:"The place between them, as kind:name"`
}

// PipelineHop is one hop on the way of a tick.
type PipelineHop struct {
	Name     string   `json:"name" example:"bridge" doc:"kafka, bridge, stream, api, or a function"`
	From     string   `json:"from,omitempty" example:"kafka" doc:"The hop before it, from which its latency counts"`
	Rate     *float64 `json:"rate" nullable:"true" example:"512.3" doc:"Messages a second; null until it is measured"`
	Lag      *uint64  `json:"lag" nullable:"true" example:"3" doc:"Messages that wait before it; null if that is not known"`
	P50      *float64 `json:"p50Ms" nullable:"true" example:"1.2" doc:"Milliseconds since the hop before, in the middle of the messages sampled in the last 10 s"`
	P99      *float64 `json:"p99Ms" nullable:"true" example:"9.7" doc:"The same, of 99 in 100"`
	TotalP50 *float64 `json:"totalP50Ms" nullable:"true" example:"3.1" doc:"Milliseconds since the tick was produced, in the middle"`
	TotalP99 *float64 `json:"totalP99Ms" nullable:"true" example:"15.2" doc:"The same, of 99 in 100"`
	Samples  int      `json:"samples" example:"640" doc:"Messages that the latencies were taken of"`
}

// PipelineKafka is what Kafka holds.
type PipelineKafka struct {
	At     time.Time       `json:"at" example:"2025-11-21T14:30:00.5Z" doc:"When it was measured"`
	Topics []PipelineTopic `json:"topics" nullable:"false" doc:"The topics of the address book"`
}

// PipelineTopic is one topic.
type PipelineTopic struct {
	Name       string              `json:"name" example:"stock_ticks" doc:"Its name"`
	Partitions []PipelinePartition `json:"partitions" nullable:"false" doc:"Its partitions"`
	PerSecond  *float64            `json:"perSecond" nullable:"true" example:"512.3" doc:"Records written a second; null until it is measured"`
	Groups     []PipelineGroup     `json:"groups" nullable:"false" doc:"The groups that read it"`
}

// PipelinePartition is one partition.
type PipelinePartition struct {
	Partition int32 `json:"partition" example:"0" doc:"Its number"`
	Start     int64 `json:"start" example:"0" doc:"The first offset that is kept"`
	End       int64 `json:"end" example:"4712" doc:"The offset of the next record"`
}

// PipelineGroup is a group that reads a topic.
type PipelineGroup struct {
	Name      string   `json:"name" example:"streamflow-bridge" doc:"The group"`
	State     string   `json:"state" example:"Stable" doc:"What Kafka says of it"`
	Members   int      `json:"members" example:"1" doc:"How many read"`
	Lag       *int64   `json:"lag" nullable:"true" example:"3" doc:"Records behind what it has committed; null if it has committed nothing to Kafka"`
	PerSecond *float64 `json:"perSecond" nullable:"true" example:"512.3" doc:"Records a second that it has committed; null until it is measured"`
}

// PipelineStream is one stream.
type PipelineStream struct {
	Name      string             `json:"name" example:"TICKS" doc:"Its name"`
	Messages  uint64             `json:"messages" example:"120000" doc:"Messages that it holds, with the cursors and checkpoints among them"`
	Bytes     uint64             `json:"bytes" example:"31457280" doc:"Bytes that it holds"`
	FirstSeq  uint64             `json:"firstSeq" example:"1" doc:"Sequence of the oldest message"`
	LastSeq   uint64             `json:"lastSeq" example:"120000" doc:"Sequence of the newest message"`
	LastAt    *time.Time         `json:"lastAt" nullable:"true" example:"2025-11-21T14:30:00.4Z" doc:"When the newest message was stored"`
	PerSecond *float64           `json:"perSecond" nullable:"true" example:"512.3" doc:"Messages stored a second, with the cursors and checkpoints among them; null until it is measured"`
	Consumers []PipelineConsumer `json:"consumers" nullable:"false" doc:"Its durable consumers"`
}

// PipelineConsumer is a durable consumer of a stream.
type PipelineConsumer struct {
	Name       string `json:"name" example:"candles-0" doc:"Its name"`
	Pending    uint64 `json:"pending" example:"3" doc:"Messages that are not delivered yet"`
	AckPending int    `json:"ackPending" example:"20" doc:"Messages that are delivered and not acknowledged"`
	AckFloor   uint64 `json:"ackFloor" example:"119977" doc:"Sequence up to which all is acknowledged"`
}

// PipelineDatabase is how the database is doing.
type PipelineDatabase struct {
	At               time.Time `json:"at" example:"2025-11-21T14:30:00.5Z" doc:"When it was measured"`
	Bytes            int64     `json:"bytes" example:"73400320" doc:"Size on disk"`
	RowsPerSecond    *float64  `json:"rowsPerSecond" nullable:"true" example:"530" doc:"Rows inserted or updated a second; null until it is measured"`
	CommitsPerSecond *float64  `json:"commitsPerSecond" nullable:"true" example:"22" doc:"Transactions a second"`
	Connections      int       `json:"connections" example:"9" doc:"Connections that are open"`
	Stored           *int64    `json:"stored" nullable:"true" example:"120000" doc:"Offsets of ticks that the archive has stored, over all partitions; null if none"`
}

// PipelineFault is what could not be measured.
type PipelineFault struct {
	Part  string `json:"part" example:"kafka" doc:"The server"`
	Error string `json:"error" example:"connection refused" doc:"What is wrong"`
}

// ThroughputPoint is one second.
type ThroughputPoint struct {
	At        time.Time `json:"at" example:"2025-11-21T14:30:00Z" doc:"Start of the second"`
	PerSecond float64   `json:"perSecond" example:"512" doc:"Ticks of that second"`
}

func (s *Server) registerPipeline(api huma.API) {
	type output struct{ Body Pipeline }
	huma.Register(api, get("get-pipeline", "/api/pipeline", "pipeline", "How all of it runs",
		"The parts of the system and the ways between them, with what was measured: rates, lags and latencies by hop, the health of each server, "+
			"topics, streams and the database. While somebody looks it is measured once a second. What cannot be measured is null or left out, and \"faults\" says why. "+
			"Websocket subject `pipeline` has \"hops\", \"health\" and the newest second of \"throughput\" each second."),
		func(ctx context.Context, _ *struct{}) (*output, error) { return &output{s.pipeline.look(ctx)}, nil })
}

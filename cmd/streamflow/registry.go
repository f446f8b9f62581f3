package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"streamflow"
	"streamflow/functions"
	"streamflow/functions/alerts"
	"streamflow/functions/buckets"
	"streamflow/functions/candles"
	"streamflow/functions/indicators"
	"streamflow/functions/logins"
	"streamflow/functions/spread"
)

// registry is the list of all functions: what is not here does not run. A
// function of one's own is one line, see docs/functions.md.
var registry = []*entry{
	step(candles.ParseParams, candles.New),
	step(indicators.ParseParams, indicators.New),
	byRules(alerts.New),
	step(buckets.ParseParams, buckets.New),
	step(logins.ParseParams, logins.New),

	sink(streamflow.FunctionArchive, "stores every tick", streamflow.StreamTicks, "table "+streamflow.TableTicks, openArchive),
	sink(streamflow.FunctionArchiveCandles, "stores candles", streamflow.StreamCandles, "table "+streamflow.TableCandles, openArchiveCandles),
	sink(streamflow.FunctionArchiveAlerts, "stores alerts", streamflow.StreamAlerts, "table "+streamflow.TableAlerts, openArchiveAlerts),
	sink(streamflow.FunctionDeadLetter, "brings what was refused back to Kafka", streamflow.StreamDeadLetters, "topic "+streamflow.TopicDeadLetters, openDeadLetters),
	sink(streamflow.FunctionReverse+"-candles", "brings candles to Kafka", streamflow.StreamCandles, "topic "+streamflow.TopicCandles, openReverse(streamflow.TopicCandles)),
	sink(streamflow.FunctionReverse+"-indicators", "brings indicators to Kafka", streamflow.StreamIndicators, "topic "+streamflow.TopicIndicators, openReverse(streamflow.TopicIndicators)),
	sink(streamflow.FunctionReverse+"-alerts", "brings alerts to Kafka", streamflow.StreamAlerts, "topic "+streamflow.TopicAlerts, openReverse(streamflow.TopicAlerts)),
	notifier(),

	// Functions that do not run until `streamflow functions start NAME`.
	own(spread.New),
}

// step is a function with parameters of type P.
func step[P any](parse func(json.RawMessage) (P, error), build func(P) *functions.Function) *entry {
	return stepEntry(func(params json.RawMessage, _ []streamflow.Rule) (*functions.Function, error) {
		p, err := parse(params)
		if err != nil {
			return nil, err
		}
		return build(p), nil
	})
}

// byRules is a function that is built anew when a rule changes. A rule that is
// no good never stops the others.
func byRules(build func([]streamflow.Rule, []byte) (*functions.Function, []error)) *entry {
	e := stepEntry(func(params json.RawMessage, rules []streamflow.Rule) (*functions.Function, error) {
		fn, faults := build(rules, params)
		for _, err := range faults {
			var rule *alerts.FieldError
			if !errors.As(err, &rule) {
				return nil, err
			}
		}
		return fn, nil
	})
	e.rules = true
	return e
}

// own is a function without parameters that is stopped until it is started.
func own(build func() *functions.Function) *entry {
	e := stepEntry(func(params json.RawMessage, _ []streamflow.Rule) (*functions.Function, error) {
		if len(params) > 0 && string(params) != "null" && string(params) != "{}" {
			return nil, fmt.Errorf("it takes none, and was given %s", params)
		}
		return build(), nil
	})
	e.state = streamflow.StateStopped
	return e
}

package streamflow

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// status is what every answer of a generated client has.
type status interface {
	StatusCode() int
	GetBody() []byte
}

// trip is a client of the system at STREAMFLOW_URL.
type trip struct {
	*testing.T
	*ClientWithResponses
}

// must ends the test where a request was not answered with a status.
func must[R status](t *testing.T, want int) func(r R, err error) R {
	return func(r R, err error) R {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if r.StatusCode() != want {
			t.Fatalf("%T: %d, want %d: %s", r, r.StatusCode(), want, r.GetBody())
		}
		return r
	}
}

// soon asks again and again until ok.
func soon[R status](t *testing.T, ask func() (R, error), ok func(R) bool) R {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		r, err := ask()
		if err == nil && r.StatusCode() == http.StatusOK && ok(r) {
			return r
		}
		if time.Now().After(end) {
			if err != nil {
				t.Fatal(err)
			}
			t.Fatalf("%T: not within two minutes: %d %s", r, r.StatusCode(), r.GetBody())
		}
	}
}

const symbol = "GO/CLIENT" // one whose path must be encoded

func TestRoundTrip(t *testing.T) {
	client, err := NewClientWithResponses(os.Getenv("STREAMFLOW_URL"))
	if err != nil {
		t.Fatal(err)
	}
	r := trip{t, client}
	for _, part := range []struct {
		name string
		run  func(trip)
	}{
		{"ticks", trip.ticks}, {"market", trip.market}, {"exports", trip.exports}, {"rules", trip.rules}, {"alerts", trip.alerts},
		{"functions", trip.functions}, {"pipeline", trip.pipeline}, {"letters", trip.letters}, {"problems", trip.problems},
	} {
		if !t.Run(part.name, func(t *testing.T) { part.run(trip{t, r.ClientWithResponses}) }) {
			return
		}
	}
}

// ticks sends a tick, then a batch of which one is refused, and reads them back.
func (t trip) ticks() {
	ctx, now := t.Context(), time.Now().UTC().Truncate(time.Microsecond)
	var one, many PostTicksJSONRequestBody
	if err := one.FromTickIn(TickIn{Symbol: symbol, Price: 10, Volume: 1, Timestamp: now}); err != nil {
		t.Fatal(err)
	}
	key := "roundtrip-" + strconv.FormatInt(now.UnixNano(), 36)
	sent := must[*PostTicksResponse](t.T, 201)(t.PostTicksWithResponse(ctx, &PostTicksParams{IdempotencyKey: &key}, one)).JSON201
	again := must[*PostTicksResponse](t.T, 201)(t.PostTicksWithResponse(ctx, &PostTicksParams{IdempotencyKey: &key}, one))
	if sent.Accepted != 1 || sent.Results[0].Position == nil || *again.JSON201.Results[0].Position != *sent.Results[0].Position {
		t.Fatalf("%+v, then %+v", sent, again.JSON201)
	}
	if h := again.Headers201; h == nil || h.IdempotencyReplayed == nil || *h.IdempotencyReplayed != "true" {
		t.Errorf("sent again: %+v", h)
	}
	batch := TickBatchIn{}
	for i := range 3 {
		price := float64(11 + i)
		if i == 1 {
			price = -1
		}
		batch.Ticks = append(batch.Ticks, TickIn{Symbol: symbol, Price: price, Volume: 1, Timestamp: now.Add(time.Duration(i+1) * time.Microsecond)})
	}
	if err := many.FromTickBatchIn(batch); err != nil {
		t.Fatal(err)
	}
	answer := must[*PostTicksResponse](t.T, 201)(t.PostTicksWithResponse(ctx, nil, many)).JSON201
	if refused := answer.Results[1]; answer.Accepted != 2 || answer.Rejected != 1 || refused.Reason == nil || *refused.Reason != TickInResultReasonBadPrice {
		t.Errorf("%+v", answer)
	}
	order, limit := ListTicksParamsOrderAsc, int64(2)
	p := &ListTicksParams{Order: &order, Limit: &limit}
	page := soon(t.T, func() (*ListTicksResponse, error) { return t.ListTicksWithResponse(ctx, symbol, p) },
		func(r *ListTicksResponse) bool { return r.JSON200.Next != nil }).JSON200
	p.Cursor = page.Next
	all := append(*page.Ticks, *must[*ListTicksResponse](t.T, 200)(t.ListTicksWithResponse(ctx, symbol, p)).JSON200.Ticks...)
	if len(all) != 3 || all[0].Price != 10 || all[2].Price != 13 || !all[0].Timestamp.Equal(now) {
		t.Errorf("%+v", all)
	}
	t.journey(*sent.Results[0].Position)
}

func (t trip) journey(position string) {
	parts := strings.Split(position, "/")
	partition, _ := strconv.ParseInt(parts[1], 10, 32)
	offset, _ := strconv.ParseInt(parts[2], 10, 64)
	j := soon(t.T, func() (*GetJourneyResponse, error) {
		return t.GetJourneyWithResponse(t.Context(), parts[0], int32(partition), offset)
	}, func(r *GetJourneyResponse) bool { return len(r.JSON200.Hops) >= 3 }).JSON200
	if j.Position != position || *j.Symbol != symbol {
		t.Errorf("%+v", j)
	}
}

// market reads what has become of the ticks.
func (t trip) market() {
	ctx := t.Context()
	stocks := soon(t.T, func() (*ListStocksResponse, error) { return t.ListStocksWithResponse(ctx) },
		func(r *ListStocksResponse) bool { return len(*r.JSON200.Stocks) == 1 }).JSON200
	if s := (*stocks.Stocks)[0]; s.Symbol != symbol || s.Price != 13 {
		t.Errorf("%+v", s)
	}
	if s := must[*GetStockResponse](t.T, 200)(t.GetStockWithResponse(ctx, symbol)).JSON200; s.Price != 13 || s.Volume != 1 {
		t.Errorf("%+v", s)
	}
	interval, fill := ListCandlesParamsIntervalN1s, ListCandlesParamsFillPrevious
	candles := soon(t.T, func() (*ListCandlesResponse, error) {
		return t.ListCandlesWithResponse(ctx, symbol, &ListCandlesParams{Interval: &interval, Fill: &fill})
	}, func(r *ListCandlesResponse) bool { return len(r.JSON200.Candles) > 0 }).JSON200.Candles
	if c := candles[0]; c.Open != 10 || c.Low != 10 || c.High < c.Low {
		t.Errorf("%+v", c)
	}
	formulas := *must[*ListFormulasResponse](t.T, 200)(t.ListFormulasWithResponse(ctx)).JSON200
	each := GetIndicatorsParamsInterval("1s")
	series := must[*GetIndicatorsResponse](t.T, 200)(t.GetIndicatorsWithResponse(ctx, symbol, &GetIndicatorsParams{Interval: &each, Spec: []string{formulas[0].Spec, "vwap"}})).JSON200
	if len(series.Names) < 2 || series.Symbol != symbol {
		t.Errorf("%+v", series)
	}
	compared := must[*CompareStocksResponse](t.T, 200)(t.CompareStocksWithResponse(ctx, &CompareStocksParams{Symbols: []string{symbol}})).JSON200
	if len(compared.Series) != 1 || compared.Series[0].Symbol != symbol {
		t.Errorf("%+v", compared)
	}
}

func (t trip) exports() {
	ctx := t.Context()
	csv := must[*ExportTicksCsvResponse](t.T, 200)(t.ExportTicksCsvWithResponse(ctx, symbol, nil))
	lines := must[*ExportTicksNdjsonResponse](t.T, 200)(t.ExportTicksNdjsonWithResponse(ctx, symbol, nil))
	if strings.Count(string(csv.Body), "\n") != 4 || strings.Count(string(lines.Body), "\n") != 3 {
		t.Errorf("%s\n%s", csv.Body, lines.Body)
	}
	must[*ExportCandlesCsvResponse](t.T, 200)(t.ExportCandlesCsvWithResponse(ctx, symbol, nil))
	must[*ExportCandlesNdjsonResponse](t.T, 200)(t.ExportCandlesNdjsonWithResponse(ctx, symbol, nil))
}

// rules creates one, reads it, tests it, replaces it where nobody else has, and
// deletes it.
func (t trip) rules() {
	ctx, id, severity := t.Context(), "go-client", RuleViewSeverityCritical
	rule := RuleView{Id: &id, Symbol: symbol, When: "price above 1000", Severity: &severity}
	created := must[*CreateRuleResponse](t.T, 201)(t.CreateRuleWithResponse(ctx, rule))
	tag := created.Headers201.ETag
	if *created.JSON201.Id != id || tag == nil || *created.Headers201.Location != "/api/rules/"+id {
		t.Fatalf("%+v %+v", created.JSON201, created.Headers201)
	}
	must[*GetRuleResponse](t.T, 304)(t.GetRuleWithResponse(ctx, id, &GetRuleParams{IfNoneMatch: tag}))
	if got := must[*GetRuleResponse](t.T, 200)(t.GetRuleWithResponse(ctx, id, nil)).JSON200; got.When != rule.When || *got.Severity != severity {
		t.Errorf("%+v", got)
	}
	list := must[*ListRulesResponse](t.T, 200)(t.ListRulesWithResponse(ctx, nil)).JSON200.Rules
	if len(list) != 1 || *list[0].Id != id {
		t.Errorf("%+v", list)
	}
	if c := must[*CreateRuleResponse](t.T, 409)(t.CreateRuleWithResponse(ctx, rule)); c.ApplicationproblemJSON409 == nil {
		t.Errorf("created again: %s", c.Body)
	}
	rule.When = "price above 12.5"
	put := must[*PutRuleResponse](t.T, 200)(t.PutRuleWithResponse(ctx, id, &PutRuleParams{IfMatch: tag}, rule))
	if put.JSON200.When != rule.When {
		t.Errorf("%+v", put.JSON200)
	}
	must[*DeleteRuleResponse](t.T, 412)(t.DeleteRuleWithResponse(ctx, id, &DeleteRuleParams{IfMatch: tag}))
	found := must[*TestRuleResponse](t.T, 200)(t.TestRuleWithResponse(ctx, RuleTestRequest{Rule: rule, From: time.Now().Add(-time.Hour)})).JSON200
	if found.Ticks != 3 || found.Count != 1 || found.Alerts[0].Price != 13 {
		t.Errorf("%+v", found)
	}
	must[*DeleteRuleResponse](t.T, 204)(t.DeleteRuleWithResponse(ctx, id, nil))
	must[*GetRuleResponse](t.T, 404)(t.GetRuleWithResponse(ctx, id, nil))
}

// alerts has one raised by a rule, and acknowledges it.
func (t trip) alerts() {
	ctx, id, by := t.Context(), "go-alert", "ada"
	must[*CreateRuleResponse](t.T, 201)(t.CreateRuleWithResponse(ctx, RuleView{Id: &id, Symbol: symbol, When: "price above 500"}))
	defer func() { _, _ = t.DeleteRuleWithResponse(context.WithoutCancel(ctx), id, nil) }()
	n := 0
	alert := soon(t.T, func() (*ListAlertsResponse, error) {
		n++ // the rule may not be heard of yet when the first ones pass
		var tick PostTicksJSONRequestBody
		if err := tick.FromTickIn(TickIn{Symbol: symbol, Price: float64(600*(n%2)) + 1, Volume: 1, Timestamp: time.Now()}); err != nil {
			return nil, err
		}
		must[*PostTicksResponse](t.T, 201)(t.PostTicksWithResponse(ctx, nil, tick))
		return t.ListAlertsWithResponse(ctx, &ListAlertsParams{Rule: &id})
	}, func(r *ListAlertsResponse) bool { return len(r.JSON200.Alerts) > 0 }).JSON200.Alerts[0]
	if alert.Price != 601 || alert.AcknowledgedAt != nil {
		t.Errorf("%+v", alert)
	}
	done := must[*AcknowledgeAlertsResponse](t.T, 200)(t.AcknowledgeAlertsWithResponse(ctx, Acknowledgement{Ids: []string{alert.Id, "none"}, By: &by})).JSON200
	if len(done.Alerts) != 1 || *done.Alerts[0].AcknowledgedBy != by || fmt.Sprint(done.Missing) != "[none]" {
		t.Errorf("%+v", done)
	}
}

func (t trip) functions() {
	ctx, state, history := t.Context(), FunctionPatchBodyStatePaused, true
	soon(t.T, func() (*ListFunctionsResponse, error) {
		return t.ListFunctionsWithResponse(ctx, &ListFunctionsParams{History: &history})
	}, func(r *ListFunctionsResponse) bool {
		return r.JSON200 != nil && len(r.JSON200.Functions) > 0 && r.JSON200.Functions[0].History != nil && len(*r.JSON200.Functions[0].History) > 0
	})
	list := must[*ListFunctionsResponse](t.T, 200)(t.ListFunctionsWithResponse(ctx, &ListFunctionsParams{})).JSON200
	if len(list.Functions) < 5 {
		t.Errorf("%+v", list)
	}
	changed := must[*ChangeFunctionResponse](t.T, 200)(t.ChangeFunctionWithResponse(ctx, "candles", FunctionPatchBody{State: &state})).JSON200
	if string(changed.Desired.State) != string(state) || changed.Desired.Shards != 1 {
		t.Errorf("%+v", changed.Desired)
	}
	soon(t.T, func() (*GetFunctionResponse, error) { return t.GetFunctionWithResponse(ctx, "candles") },
		func(r *GetFunctionResponse) bool {
			return len(r.JSON200.Workers) == 1 && r.JSON200.Workers[0].Phase == "paused"
		})
	state = FunctionPatchBodyStateRunning
	must[*ChangeFunctionResponse](t.T, 200)(t.ChangeFunctionWithResponse(ctx, "candles", FunctionPatchBody{State: &state}))
	replay := must[*ReplayFunctionResponse](t.T, 202)(t.ReplayFunctionWithResponse(ctx, "indicators", FunctionReplayRequestBody{From: "1h"})).JSON202
	if replay.Function != "indicators" || replay.From.After(time.Now()) {
		t.Errorf("%+v", replay)
	}
	must[*ListResultsResponse](t.T, 200)(t.ListResultsWithResponse(ctx, "buckets", nil))
	topic := "user-events"
	must[*ListEventsResponse](t.T, 200)(t.ListEventsWithResponse(ctx, &ListEventsParams{Topic: &topic}))
}

func (t trip) pipeline() {
	ctx := t.Context()
	if h := must[*GetHealthResponse](t.T, 200)(t.GetHealthWithResponse(ctx)).JSON200; h.Version == "" {
		t.Errorf("%+v", h)
	}
	must[*GetReadyResponse](t.T, 200)(t.GetReadyWithResponse(ctx))
	if m := must[*GetMetricsResponse](t.T, 200)(t.GetMetricsWithResponse(ctx)); !strings.Contains(string(m.Body), "streamflow_") {
		t.Errorf("%.300s", m.Body)
	}
	p := soon(t.T, func() (*GetPipelineResponse, error) { return t.GetPipelineWithResponse(ctx) },
		func(r *GetPipelineResponse) bool { return r.JSON200.Database != nil && len(r.JSON200.Health) == 4 }).JSON200
	if len(p.Stages) == 0 || len(p.Hops) == 0 {
		t.Errorf("%+v", p)
	}
}

// letters lists what was refused; there is nothing, because ticks in are checked
// before they are written.
func (t trip) letters() {
	ctx := t.Context()
	if list := must[*ListDeadlettersResponse](t.T, 200)(t.ListDeadlettersWithResponse(ctx, nil)).JSON200; len(list.Items) != 0 {
		t.Errorf("%+v", list)
	}
	done := must[*DiscardDeadlettersResponse](t.T, 200)(t.DiscardDeadlettersWithResponse(ctx, DeadLetterDiscardBody{Ids: []int64{7}, Reason: "x"})).JSON200
	if done.Failed != 1 || done.Results[0].Code == nil || *done.Results[0].Code != DeadLetterResultCodeNotFound {
		t.Errorf("%+v", done)
	}
	must[*ReplayDeadlettersResponse](t.T, 200)(t.ReplayDeadlettersWithResponse(ctx, DeadLetterReplayBody{Ids: []int64{7}}))
	must[*GetDeadletterResponse](t.T, 404)(t.GetDeadletterWithResponse(ctx, 7))
}

// problems reads errors of RFC 9457 as the client types them.
func (t trip) problems() {
	ctx, interval := t.Context(), ListCandlesParamsInterval("7m")
	p := must[*ListCandlesResponse](t.T, 422)(t.ListCandlesWithResponse(ctx, symbol, &ListCandlesParams{Interval: &interval})).ApplicationproblemJSON422
	if p == nil || *p.Status != 422 || len(*p.Errors) != 1 || *(*p.Errors)[0].Location != "query.interval" || p.Detail == nil {
		t.Fatalf("%+v", p)
	}
	wrong := must[*CreateRuleResponse](t.T, 422)(t.CreateRuleWithResponse(ctx, RuleView{Symbol: symbol, When: "price abve 3"})).ApplicationproblemJSON422
	if wrong == nil || wrong.Column == nil || *wrong.Column != 7 || *(*wrong.Errors)[0].Location != "body.when" {
		t.Errorf("%+v", wrong)
	}
	if p := must[*GetFunctionResponse](t.T, 404)(t.GetFunctionWithResponse(ctx, "none")).ApplicationproblemJSON404; p == nil || p.Detail == nil || !strings.Contains(*p.Detail, "candles") {
		t.Errorf("%+v", p)
	}
	key := func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", "Bearer sf_0000000000_nobody")
		return nil
	}
	if p := must[*ListStocksResponse](t.T, 401)(t.ListStocksWithResponse(ctx, key)).ApplicationproblemJSON401; p == nil || *p.Status != 401 {
		t.Errorf("%+v", p)
	}
	if _, err := t.ListStocksWithResponse(ctx, func(context.Context, *http.Request) error { return errors.New("stop") }); err == nil {
		t.Error("an editor of requests is not asked")
	}
}

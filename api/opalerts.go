package api

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"streamflow"
	"streamflow/api/guard"
)

// Alert says that a rule has fired, and who has seen that.
type Alert struct {
	AlertMessage
	AcknowledgedAt *time.Time `json:"acknowledgedAt" nullable:"true" example:"2025-11-21T14:32:10Z" doc:"When somebody acknowledged it; null if nobody has"`
	AcknowledgedBy *string    `json:"acknowledgedBy" nullable:"true" example:"ada" doc:"Who that was: as they called themselves, and name and ID of their API key"`
}

// AlertPage is the answer of GET /api/alerts.
type AlertPage struct {
	Alerts []Alert `json:"alerts" nullable:"false" doc:"Alerts, the newest first"`
	Next   *string `json:"next" nullable:"true" example:"MTc2MzczNTgwMDEyMzAwMDAwMCwwZjhjMWYyYQ" doc:"Cursor of the next page; null if this is the last"`
}

// AlertsInput asks for a page of alerts.
type AlertsInput struct {
	Symbol       string              `query:"symbol" maxLength:"32" example:"AAPL" doc:"Of this symbol only"`
	Rule         string              `query:"rule" maxLength:"64" example:"aapl-breakout" doc:"Of this rule only"`
	Severity     streamflow.Severity `query:"severity" enum:"info,warning,critical" example:"warning" doc:"Of this severity only"`
	Acknowledged string              `query:"acknowledged" enum:"true,false" example:"false" doc:"Only those that somebody has acknowledged, or nobody"`
	SpanParams
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100" example:"100" doc:"At most so many alerts"`
	Cursor string `query:"cursor" maxLength:"300" doc:"Go on where a page ended: its \"next\", with everything else as it was"`
}

// Acknowledgement is the body of POST /api/alerts/acknowledge.
type Acknowledgement struct {
	IDs []string `json:"ids" nullable:"false" minItems:"1" maxItems:"500" maxLength:"64" example:"[\"0f8c1f2a6f1e4b8a9d3c5e7f90a1b2c3\"]" doc:"IDs of the alerts"`
	By  string   `json:"by,omitempty" maxLength:"100" example:"ada" doc:"Who has seen them. The API key of the request is noted too; without one this must be given"`
}

// Acknowledged is the answer of POST /api/alerts/acknowledge.
type Acknowledged struct {
	Alerts  []Alert  `json:"alerts" nullable:"false" doc:"Those that are stored, as they stand now, the newest first; who was first to acknowledge one is kept"`
	Missing []string `json:"missing" nullable:"false" example:"[]" doc:"IDs of which no alert is stored"`
}

func (s *Server) registerAlerts(api huma.API) {
	type page struct{ Body AlertPage }
	huma.Register(api, get("list-alerts", "/api/alerts", "alerts", "Alerts",
		"Alerts that were raised, the newest first.", errorsOfQueries...),
		func(ctx context.Context, in *AlertsInput) (*page, error) {
			p, err := s.alertPage(ctx, in)
			if err != nil {
				return nil, err
			}
			return &page{*p}, nil
		})
	type input struct{ Body Acknowledgement }
	type output struct{ Body Acknowledged }
	huma.Register(api, write(http.MethodPost, "acknowledge-alerts", "/api/alerts/acknowledge", "alerts", "Acknowledge alerts",
		"Notes that somebody has seen alerts. To do it again changes nothing.", errorsOfQueries...),
		func(ctx context.Context, in *input) (*output, error) {
			done, err := s.acknowledge(ctx, &in.Body)
			if err != nil {
				return nil, err
			}
			return &output{*done}, nil
		})
}

func (s *Server) alertPage(ctx context.Context, in *AlertsInput) (*AlertPage, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	// One more than asked for tells whether there is a next page.
	q := AlertsQuery{Symbol: in.Symbol, Rule: in.Rule, Severity: in.Severity, From: in.From, To: in.To, Limit: in.Limit + 1}
	if in.Acknowledged != "" {
		yes := in.Acknowledged == "true"
		q.Acknowledged = &yes
	}
	if in.Cursor != "" {
		after, err := alertCursor(in.Cursor)
		if err != nil {
			return nil, badCursor(in.Cursor, err)
		}
		q.After = &after
	}
	store := s.config.Market.Alerts
	if store == nil {
		return nil, notJoined("alerts")
	}
	found, err := within(ctx, func(ctx context.Context) ([]StoredAlert, error) { return store.Alerts(ctx, q) })
	if err != nil {
		return nil, s.storeFault(ctx, err)
	}
	page := &AlertPage{}
	if len(found) > in.Limit {
		found = found[:in.Limit]
		last := &found[in.Limit-1]
		next := opaque(microText(last.Time) + "," + last.ID)
		page.Next = &next
	}
	page.Alerts = shownAlerts(found)
	return page, nil
}

func alertCursor(s string) (AlertCursor, error) {
	text, err := transparent(s)
	if err != nil {
		return AlertCursor{}, err
	}
	at, id, ok := strings.Cut(text, ",")
	if !ok || id == "" {
		return AlertCursor{}, errCursor
	}
	t, err := microTime(at)
	return AlertCursor{t, id}, err
}

func (s *Server) acknowledge(ctx context.Context, in *Acknowledgement) (*Acknowledged, error) {
	store := s.config.Market.Alerts
	if store == nil {
		return nil, notJoined("alerts")
	}
	by := signed(in.By, guard.From(ctx))
	if by == "" {
		return nil, badField("body.by", in.By, "say who has seen them, or send an API key")
	}
	found, err := within(ctx, func(ctx context.Context) ([]StoredAlert, error) { return store.Acknowledge(ctx, in.IDs, by) })
	if err != nil {
		return nil, s.storeFault(ctx, err)
	}
	done := &Acknowledged{Alerts: shownAlerts(found), Missing: []string{}}
	for _, id := range in.IDs {
		stored := slices.ContainsFunc(found, func(a StoredAlert) bool { return a.ID == id })
		if !stored && !slices.Contains(done.Missing, id) {
			done.Missing = append(done.Missing, id)
		}
	}
	return done, nil
}

// signed names who has done something: as they call themselves, and as the key of
// the request is called, which they cannot choose. It is "" where neither is known.
func signed(said string, p guard.Principal) string {
	said = strings.TrimSpace(said)
	switch {
	case p.KeyID == "":
		return said
	case said == "" || said == p.Name:
		return p.Text()
	}
	return said + ", with key " + p.Text()
}

func shownAlerts(found []StoredAlert) []Alert {
	alerts := make([]Alert, len(found))
	for i := range found {
		alerts[i] = shownAlert(&found[i])
	}
	return alerts
}

func shownAlert(a *StoredAlert) Alert {
	shown := Alert{AlertMessage: AlertMessage{
		ID: a.ID, Rule: a.Rule, Name: a.Name, Symbol: a.Symbol, When: a.When, Severity: string(a.Severity),
		Time: a.Time.UTC(), Price: a.Price, Values: a.Values, Text: a.Text, Position: a.Position,
	}}
	if shown.Values == nil {
		shown.Values = map[string]float64{}
	}
	if !a.Acknowledged.IsZero() {
		shown.AcknowledgedAt, shown.AcknowledgedBy = &a.Acknowledged, &a.AcknowledgedBy
	}
	return shown
}

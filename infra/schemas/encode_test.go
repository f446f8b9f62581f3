package schemas

import (
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/sr"

	"streamflow"
)

// What is encoded reads back as the same tick, and its schema is in the registry
// under the subject that serializers use.
func TestTickEncoder(t *testing.T) {
	r := newRig(t)
	text := `{"symbol":"BRK.B","price":187.23,"volume":0,"timestamp":"2025-01-02T15:04:05.123456Z","exchange":"XNYS","bid":187.22,"ask":187.24}`
	bare := `{"symbol":"A","price":1e-7,"volume":9007199254740993,"timestamp":"2025-01-02T15:04:05Z"}`
	for format, kind := range map[string]sr.SchemaType{FormatAvro: sr.TypeAvro, FormatProtobuf: sr.TypeProtobuf, FormatJSONSchema: sr.TypeJSON} {
		t.Run(format, func(t *testing.T) {
			topic := "ticks-" + format
			encode, err := r.TickEncoder(t.Context(), topic, format)
			if err != nil {
				t.Fatal(err)
			}
			if again, err := r.TickEncoder(t.Context(), topic, format); err != nil || again == nil {
				t.Fatal("a second time: ", err)
			}
			subject, err := r.client.SchemaByVersion(t.Context(), topic+"-value", -1)
			if err != nil || subject.Type != kind || subject.Version != 1 {
				t.Fatalf("%+v, %v", subject, err)
			}
			for _, text := range []string{text, bare} {
				framed, err := encode([]byte(text))
				if err != nil || !streamflow.Framed(framed) {
					t.Fatalf("%q, %v", framed, err)
				}
				back, err := r.JSON(t.Context(), framed, ticks)
				if err != nil {
					t.Fatal(err)
				}
				want, err := streamflow.DecodeTick([]byte(text), nil, time.Now())
				if err != nil {
					t.Fatal(err)
				}
				got, err := streamflow.DecodeTick(back, nil, time.Now())
				if want.Extra, got.Extra = nil, nil; err != nil || got.Symbol != want.Symbol || got.Price != want.Price || got.Volume != want.Volume ||
					!got.Time.Equal(want.Time) || got.Exchange != want.Exchange || got.Bid != want.Bid || got.Ask != want.Ask {
					t.Errorf("%s is read as %+v, want %+v (%v)", back, got, want, err)
				}
			}
		})
	}
	if _, err := r.TickEncoder(t.Context(), "ticks", "xml"); err == nil || !strings.Contains(err.Error(), "protobuf") {
		t.Error(err)
	}
	if _, err := r.join(Config{}).TickEncoder(t.Context(), "ticks", FormatAvro); err == nil || !strings.Contains(err.Error(), "SCHEMA_REGISTRY_URL") {
		t.Error(err)
	}
	r.fake.Close()
	if _, err := r.TickEncoder(t.Context(), "ticks", FormatAvro); err == nil || !strings.Contains(err.Error(), "subject ticks-value") {
		t.Error(err)
	}
}

package notify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Headers of a delivery.
const (
	// HeaderSignature is "t=<unix seconds>,v1=<hex>": HMAC-SHA-256 of the text
	// "<unix seconds>.<body>" under the webhook's secret.
	HeaderSignature = "Streamflow-Signature"
	// HeaderDelivery is the same in each attempt to deliver an alert to a webhook:
	// a receiver that has seen it before has the alert already.
	HeaderDelivery = "Streamflow-Delivery"
	HeaderAttempt  = "Streamflow-Attempt" // from 1
)

// Sign returns the value of [HeaderSignature].
func Sign(secret, body []byte, at time.Time) string {
	t := strconv.FormatInt(at.Unix(), 10)
	return "t=" + t + ",v1=" + hex.EncodeToString(mac(secret, t, body))
}

func mac(secret []byte, t string, body []byte) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(t))
	h.Write([]byte{'.'})
	h.Write(body)
	return h.Sum(nil)
}

// Verify is for receivers: it says whether body was signed under secret, not
// longer than tolerance away from now. One v1 that fits is enough, parts of the
// header that it does not know are left alone.
func Verify(secret, body []byte, header string, now time.Time, tolerance time.Duration) error {
	var t string
	var signatures []string
	for part := range strings.SplitSeq(header, ",") {
		switch name, value, _ := strings.Cut(strings.TrimSpace(part), "="); name {
		case "t":
			t = value
		case "v1":
			signatures = append(signatures, value)
		}
	}
	seconds, err := strconv.ParseInt(t, 10, 64)
	if err != nil || len(signatures) == 0 {
		return fmt.Errorf("%s %.80q: want t=<unix seconds>,v1=<hex>", HeaderSignature, header)
	}
	want := mac(secret, t, body)
	for _, s := range signatures {
		if got, err := hex.DecodeString(s); err != nil || !hmac.Equal(got, want) {
			continue
		}
		// Only now: of a forged message the age says nothing.
		if age := now.Sub(time.Unix(seconds, 0)); age.Abs() > tolerance {
			return fmt.Errorf("signed %s away from now, more than %s: a replay, or a clock that is wrong", age.Abs().Round(time.Second), tolerance)
		}
		return nil
	}
	return errors.New("no signature fits: another secret, or the body was changed")
}

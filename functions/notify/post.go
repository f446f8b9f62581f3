package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	maxAnswer  = 4 << 10 // bytes of an answer that are read, so that the connection can be used again
	maxExcerpt = 200     // bytes of it that are recorded
)

// newClient returns a client that follows no redirect: the alert was meant for
// the URL of the configuration, and its signature for who answers there.
func newClient(transport http.RoundTripper) *http.Client {
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// newTransport is that of one webhook: its connections are its own, and as many
// are kept as there are attempts at a time.
func newTransport(concurrency int) *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost, t.MaxConnsPerHost = concurrency, concurrency
	t.MaxResponseHeaderBytes = 16 << 10
	return t
}

// verdict is what an attempt came to.
type verdict uint8

const (
	delivered verdict = iota
	later             // it may be better next time
	refused           // it never will be
	gone              // nor will any other alert
)

// answer is what a receiver said.
type answer struct {
	verdict verdict
	status  int
	wait    time.Duration // what it asked for with Retry-After; 0 if it did not
	err     error         // nil if it was delivered
	excerpt string        // of its text, for the record and not for the log
}

// post makes one attempt.
func post(ctx context.Context, client *http.Client, h *Webhook, body []byte, delivery string, attempt int) answer {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(h.Timeout))
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL, bytes.NewReader(body))
	if err != nil {
		return answer{verdict: refused, err: withoutURL(err)}
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "StreamFlow-Notify/1")
	request.Header.Set(HeaderSignature, Sign(h.Secret, body, time.Now()))
	request.Header.Set(HeaderDelivery, delivery)
	request.Header.Set(HeaderAttempt, strconv.Itoa(attempt))
	response, err := client.Do(request)
	if err != nil {
		return answer{verdict: later, err: withoutURL(err)}
	}
	defer response.Body.Close()
	// The status is the answer: a text that breaks off does not change it.
	text, _ := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	return judge(response, text, time.Now())
}

// judge reads an answer.
func judge(r *http.Response, text []byte, now time.Time) answer {
	a := answer{status: r.StatusCode, excerpt: excerpt(text)}
	if r.StatusCode >= 200 && r.StatusCode < 300 {
		return a
	}
	a.err = fmt.Errorf("the receiver answers %d %s", r.StatusCode, http.StatusText(r.StatusCode))
	switch {
	case r.StatusCode == http.StatusGone:
		a.verdict = gone
	case r.StatusCode == http.StatusRequestTimeout || r.StatusCode == http.StatusTooManyRequests || r.StatusCode >= 500:
		a.verdict, a.wait = later, retryAfter(r.Header.Get("Retry-After"), now)
	case r.StatusCode >= 300 && r.StatusCode < 400:
		a.verdict = refused
		a.err = fmt.Errorf("%w; redirects are not followed: put the final URL into the configuration", a.err)
	default:
		a.verdict = refused
	}
	return a
}

// retryAfter reads seconds or a date; 0 if it is neither, or has passed.
func retryAfter(s string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(s, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(s); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

// withoutURL takes the URL out of an error of package http: the paths of many
// receivers hold a token.
func withoutURL(err error) error {
	var u *url.Error
	if !errors.As(err, &u) {
		return err
	}
	if u.Timeout() {
		return fmt.Errorf("no answer in time: %w", u.Err)
	}
	return u.Err
}

// excerpt is the begin of a text on one printable line.
func excerpt(text []byte) string {
	s := strings.ToValidUTF8(string(text[:min(len(text), maxExcerpt)]), "")
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s))
}

package live

import (
	"slices"
	"strings"
	"time"

	"streamflow"
)

// subject is one subject and its newest message.
type subject struct {
	name  string
	kind  int
	node  *node
	known bool
	m     streamflow.Message // the newest; its Data and Headers are the subject's own
	prev  uint64             // the sequence of the message before it; 0 if that is not known
	taken time.Time
	// groups are those who want it, by class.
	groups []*group
	msg    []byte // newest as JSON; nil until somebody wants it

	older, newer *subject // in the order of their messages
	// fixed marks what is no subject but a word of the server's own that stands
	// among messages: msg is what it says.
	fixed bool
	// done are the kinds of a snapshot that ends here, see [hub.words].
	done uint16
}

// Bounds of what is remembered. Beyond them the subjects that were silent for
// the longest time are forgotten: their next message has no "prev", and they
// are missing from snapshots.
const (
	maxSubjects = 50_000
	maxBytes    = 64 << 20
)

// memory is the newest message of each subject.
type memory struct {
	byName      map[string]*subject
	ends        subject // of the ring of subjects: newer is the oldest of all, older the newest
	bytes       int
	most        int // subjects
	mostBytes   int
	tokens      []string // scratch
	subjectCost int
}

func newMemory() memory {
	return memory{byName: make(map[string]*subject), most: maxSubjects, mostBytes: maxBytes, subjectCost: 512}
}

func (m *memory) link() {
	if m.ends.newer == nil {
		m.ends.newer, m.ends.older = &m.ends, &m.ends
	}
}

// touch makes sub the newest of all.
func (m *memory) touch(sub *subject) {
	m.link()
	if sub.newer != nil {
		sub.newer.older, sub.older.newer = sub.older, sub.newer
	}
	last := m.ends.older
	last.newer, sub.older, sub.newer, m.ends.older = sub, last, &m.ends, sub
}

// subjectOf returns a subject, made where it is new.
func (h *hub) subjectOf(name string, kind int) *subject {
	if sub := h.memory.byName[name]; sub != nil {
		return sub
	}
	name = strings.Clone(name) // or it would keep a whole batch alive
	h.memory.tokens = splitTokens(h.memory.tokens[:0], name)
	sub := &subject{name: name, kind: kind}
	sub.node = h.index.reach(h.memory.tokens)
	sub.node.subject = sub
	h.memory.byName[name] = sub
	sub.groups = h.index.top.wanting(h.memory.tokens, nil)
	slices.SortStableFunc(sub.groups, func(a, b *group) int { return int(a.class - b.class) })
	h.memory.bytes += h.memory.subjectCost
	return sub
}

// splitTokens appends the tokens of a subject.
func splitTokens(tokens []string, subject string) []string {
	for t := range strings.SplitSeq(subject, ".") {
		tokens = append(tokens, t)
	}
	return tokens
}

// set makes m the newest message. It copies what m points to into memory that
// the subject keeps.
func (h *hub) set(sub *subject, m *streamflow.Message, taken time.Time) {
	before := cap(sub.m.Data)
	data, headers := append(sub.m.Data[:0], m.Data...), append(sub.m.Headers[:0], m.Headers...)
	if cap(data) > 4096 && len(data) < cap(data)/4 {
		data = slices.Clone(data) // one that was large need not stay so
	}
	for i := range headers {
		headers[i].Value = slices.Clone(headers[i].Value)
	}
	sub.prev = 0
	if sub.known && sub.m.Sequence < m.Sequence {
		sub.prev = sub.m.Sequence
	}
	sub.m = *m
	sub.m.Subject, sub.m.Data, sub.m.Headers = sub.name, data, headers
	sub.taken, sub.msg, sub.known = taken, nil, true
	h.memory.bytes += cap(data) - before
	h.memory.touch(sub)
}

// shrink forgets the oldest subjects while there are too many.
func (h *hub) shrink() {
	m := &h.memory
	for len(m.byName) > m.most || m.bytes > m.mostBytes && len(m.byName) > 1 {
		sub := m.ends.newer
		if sub == nil || sub == &m.ends {
			return
		}
		sub.older.newer, sub.newer.older = sub.newer, sub.older
		m.bytes -= cap(sub.m.Data) + m.subjectCost
		delete(m.byName, sub.name)
		sub.node.subject = nil
		sub.node.prune()
	}
}

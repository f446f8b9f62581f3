package api

import (
	"slices"
	"strings"
	"time"

	"streamflow"
)

// subject is one subject and its newest message.
type subject struct {
	name   string
	known  bool
	newest streamflow.Mirrored // owns its Extra and Hops
	taken  time.Time
	groups []*group // who wants it: those whose pattern matches
	msg    []byte   // newest as JSON; nil until somebody wants it
}

// group is all sessions with the same pattern.
type group struct {
	pattern pattern
	members []*session
}

// index finds who wants a subject without asking the sessions: every subject
// points at the groups that match it, and both kinds of change (a new subject,
// a new pattern) keep that true. The cost of a tick is that of its subscribers.
type index struct {
	bySymbol map[string]*subject // the hot path has symbols, not subjects
	byName   map[string]*subject
	exact    map[string]*group // by subject, also of subjects not seen yet
	wild     []*group          // few, and in no order
}

func newIndex() index {
	return index{bySymbol: make(map[string]*subject), byName: make(map[string]*subject), exact: make(map[string]*group)}
}

// subjectOf returns the subject of a symbol, made where it is new.
func (x *index) subjectOf(symbol string) *subject {
	if s := x.bySymbol[symbol]; s != nil {
		return s
	}
	s := &subject{name: streamflow.TickSubject(symbol)}
	x.bySymbol[strings.Clone(symbol)], x.byName[s.name] = s, s
	if g := x.exact[s.name]; g != nil {
		s.groups = append(s.groups, g)
	}
	for _, g := range x.wild {
		if g.pattern.matches(s.name) {
			s.groups = append(s.groups, g)
		}
	}
	return s
}

// add makes s a member of the group of p. newly is called with every subject
// that no other subscription of s took in.
func (x *index) add(s *session, p pattern, newly func(*subject)) {
	if _, has := s.subs[p.text]; has {
		return
	}
	g := x.groupOf(p)
	for sub := range x.matching(g) {
		if !sub.wantedBy(s) {
			newly(sub)
		}
	}
	g.members = append(g.members, s)
	s.subs[p.text] = p
}

// remove takes s out of the group of p, and forgets the group with its last
// member.
func (x *index) remove(s *session, p pattern) {
	if _, has := s.subs[p.text]; !has {
		return
	}
	delete(s.subs, p.text)
	g := x.find(p)
	i := slices.Index(g.members, s)
	last := len(g.members) - 1
	g.members[i], g.members[last] = g.members[last], nil
	if g.members = g.members[:last]; last > 0 {
		return
	}
	for sub := range x.matching(g) {
		sub.groups = slices.DeleteFunc(sub.groups, func(o *group) bool { return o == g })
	}
	if p.wild {
		x.wild = slices.DeleteFunc(x.wild, func(o *group) bool { return o == g })
	} else {
		delete(x.exact, p.text)
	}
}

// matching yields the known subjects that a group takes in.
func (x *index) matching(g *group) func(yield func(*subject) bool) {
	return func(yield func(*subject) bool) {
		if !g.pattern.wild {
			if sub := x.byName[g.pattern.text]; sub != nil {
				yield(sub)
			}
			return
		}
		for _, sub := range x.byName {
			if g.pattern.matches(sub.name) && !yield(sub) {
				return
			}
		}
	}
}

func (x *index) find(p pattern) *group {
	if !p.wild {
		return x.exact[p.text]
	}
	for _, g := range x.wild {
		if g.pattern.text == p.text {
			return g
		}
	}
	return nil
}

// groupOf returns the group of p, made where it is new.
func (x *index) groupOf(p pattern) *group {
	if g := x.find(p); g != nil {
		return g
	}
	g := &group{pattern: p}
	if p.wild {
		x.wild = append(x.wild, g)
	} else {
		x.exact[p.text] = g
	}
	for sub := range x.matching(g) {
		sub.groups = append(sub.groups, g)
	}
	return g
}

// wantedBy reports whether a subscription of s takes in the subject.
func (sub *subject) wantedBy(s *session) bool {
	for _, g := range sub.groups {
		if _, has := s.subs[g.pattern.text]; has {
			return true
		}
	}
	return false
}

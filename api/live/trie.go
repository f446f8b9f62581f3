package live

import (
	"slices"
	"strings"
)

// trie holds subjects and patterns in one tree of tokens, so that either finds
// the other by its tokens and not by looking at all of them.
type trie struct{ top node }

// node is a place in the tree: its path is a subject, a pattern, or a part.
type node struct {
	up      *node
	token   string
	kids    map[string]*node // "*" and ">" among them
	subject *subject
	groups  []*group // of the pattern that ends here, by class
}

// reach returns the node of some tokens, made where it is new.
func (x *trie) reach(tokens []string) *node {
	n := &x.top
	for _, t := range tokens {
		kid := n.kids[t]
		if kid == nil {
			if n.kids == nil {
				n.kids = make(map[string]*node)
			}
			t = strings.Clone(t) // or it would keep a whole client's message alive
			kid = &node{up: n, token: t}
			n.kids[t] = kid
		}
		n = kid
	}
	return n
}

// prune takes a node out that holds nothing any more, and those above it.
func (n *node) prune() {
	for n.up != nil && len(n.kids) == 0 && n.subject == nil && len(n.groups) == 0 {
		delete(n.up.kids, n.token)
		n = n.up
	}
}

// wanting appends the groups whose patterns take in a subject.
func (n *node) wanting(tokens []string, groups []*group) []*group {
	if len(tokens) == 0 {
		return append(groups, n.groups...)
	}
	if kid := n.kids[">"]; kid != nil {
		groups = append(groups, kid.groups...)
	}
	if kid := n.kids["*"]; kid != nil {
		groups = kid.wanting(tokens[1:], groups)
	}
	if kid := n.kids[tokens[0]]; kid != nil {
		groups = kid.wanting(tokens[1:], groups)
	}
	return groups
}

// each calls fn with the subjects that a pattern takes in.
func (n *node) each(tokens []string, fn func(*subject)) {
	if len(tokens) == 0 {
		if n.subject != nil {
			fn(n.subject)
		}
		return
	}
	switch t := tokens[0]; t {
	case ">":
		for _, kid := range n.kids {
			kid.all(fn)
		}
	case "*":
		for _, kid := range n.kids {
			kid.each(tokens[1:], fn)
		}
	default:
		if kid := n.kids[t]; kid != nil {
			kid.each(tokens[1:], fn)
		}
	}
}

func (n *node) all(fn func(*subject)) {
	if n.subject != nil {
		fn(n.subject)
	}
	for _, kid := range n.kids {
		kid.all(fn)
	}
}

// group is all sessions with the same pattern and class.
type group struct {
	pattern pattern
	class   class
	node    *node
	members []*session
}

// join makes s a member of the group of a pattern and a class.
func (x *trie) join(s *session, p pattern, c class) *group {
	n := x.reach(p.tokens)
	i, found := slices.BinarySearchFunc(n.groups, c, func(g *group, c class) int { return int(g.class - c) })
	if !found {
		g := &group{pattern: p, class: c, node: n}
		n.groups = slices.Insert(n.groups, i, g)
		x.top.each(p.tokens, func(sub *subject) { sub.add(g) })
	}
	g := n.groups[i]
	g.members = append(g.members, s)
	return g
}

// leave takes s out of a group, and forgets the group with its last member.
func (x *trie) leave(s *session, g *group) {
	i := slices.Index(g.members, s)
	last := len(g.members) - 1
	g.members[i], g.members[last] = g.members[last], nil
	if g.members = g.members[:last]; last > 0 {
		return
	}
	x.top.each(g.pattern.tokens, func(sub *subject) {
		sub.groups = slices.DeleteFunc(sub.groups, func(o *group) bool { return o == g })
	})
	g.node.groups = slices.DeleteFunc(g.node.groups, func(o *group) bool { return o == g })
	g.node.prune()
}

// add makes g one of those who want the subject, the most generous first: that
// is the one by which a session gets a message that it wants twice.
func (sub *subject) add(g *group) {
	i, _ := slices.BinarySearchFunc(sub.groups, g.class+1, func(o *group, c class) int { return int(o.class - c) })
	sub.groups = slices.Insert(sub.groups, i, g)
}

package simulate

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// Users makes logins, as topic user-events takes them: a few people log in all
// the time and most now and then (Zipf), each mostly from the same place. Their
// addresses are of domains, and those of their machines of networks, that belong
// to nobody (RFC 2606, RFC 5737).
//
// The same seed makes the same logins.
type Users struct {
	rng *rand.Rand
	who *rand.Zipf
}

const (
	loginUsers = 5_000
	loginAway  = 0.1 // of the logins are from somewhere else
)

var (
	firstNames = strings.Fields("ada alan barbara claude dennis donald edsger frances grace hedy jean john karen katherine ken leslie linus lynn margaret mary niklaus radia shafi tim tony")
	lastNames  = strings.Fields("allen backus bartik dijkstra engelbart hamilton hoare hopper johnson kay keller knuth lamarr lamport liskov lovelace mccarthy perlman ritchie shannon sparck thompson turing wirth")
	domains    = []string{"example.com", "example.org", "example.net"}
	networks   = []string{"192.0.2", "198.51.100", "203.0.113"}
)

// NewUsers returns people of whom nobody has logged in yet.
func NewUsers(seed uint64) *Users {
	rng := rand.New(rand.NewPCG(seed, 0x75736572))
	return &Users{rng: rng, who: rand.NewZipf(rng, 1.1, 20, loginUsers-1)}
}

// Next returns a login; its key is the user.
func (u *Users) Next(at time.Time) (key, value []byte) {
	id := u.who.Uint64()
	place := mix(id)
	if u.rng.Float64() < loginAway {
		place = u.rng.Uint64()
	}
	key = fmt.Appendf(nil, "u-%d", id)
	value = fmt.Appendf(nil, `{"user_id":%q,"user_email":%q,"type":"login","ip":"%s.%d","timestamp":%q}`,
		key, email(id), networks[place%uint64(len(networks))], 1+place>>8%254, at.UTC().Format(time.RFC3339Nano))
	return key, value
}

// email is a user's address: no two have the same.
func email(id uint64) string {
	h := mix(id)
	first, last := firstNames[h%uint64(len(firstNames))], lastNames[h>>16%uint64(len(lastNames))]
	return fmt.Sprintf("%s.%s.%d@%s", first, last, id, domains[h>>32%uint64(len(domains))])
}

package simulate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"time"
)

// Shop makes e-commerce events, as topic events takes them: people look at
// products, put some into their carts and buy a few of them. A few products are
// looked at far more often than the others (Zipf), most things are cheap and a
// few are dear (log-normal), and each customer pays in one currency.
//
// The same seed and the same times make the same events.
type Shop struct {
	rng      *rand.Rand
	products *rand.Zipf
	users    *rand.Zipf
	seed     uint64
	number   uint64
	carts    []visit // who is about to go on
}

// visit is a customer and a product that is looked at or in the cart.
type visit struct {
	user, product uint64
	inCart        bool
}

const (
	shopProducts = 2_000
	shopUsers    = 5_000
	shopVisits   = 200 // at the same time

	// How visits go on: of ten products that are looked at about three are put
	// into a cart, and of these half are bought.
	shopNew    = 0.6 // of the events begin a visit
	shopToCart = 0.45
	shopToBuy  = 0.6

	// Prices: the median, and the standard deviation of the logarithm.
	shopMedian = 25.0
	shopSpread = 1.1
)

var shopCurrencies = []string{"EUR", "EUR", "USD", "USD", "GBP"}

// NewShop returns a shop that opens with its first event.
func NewShop(seed uint64) *Shop {
	rng := rand.New(rand.NewPCG(seed, 0x73686f70))
	return &Shop{
		rng: rng, seed: seed,
		products: rand.NewZipf(rng, 1.2, 8, shopProducts-1), users: rand.NewZipf(rng, 1.1, 20, shopUsers-1),
	}
}

// Next returns an event; its key is the user, so that what a user does stays in
// order.
func (s *Shop) Next(at time.Time) (key, value []byte) {
	v, kind := s.step()
	s.number++
	key = fmt.Appendf(nil, "u-%d", v.user)
	value = fmt.Appendf(nil, `{"event_id":"%x-%d","type":%q,"user_id":%q,"product_id":"p-%d","price":%s,"currency":%q,"timestamp":%q}`,
		mix(s.seed^uint64(at.UnixNano()))>>32, s.number, kind, key, v.product, s.price(v.product), shopCurrencies[v.user%uint64(len(shopCurrencies))],
		at.UTC().Format(time.RFC3339Nano))
	return key, value
}

// step decides what happens next: somebody new comes in, or one of the visits
// goes on, or ends without a word.
func (s *Shop) step() (visit, string) {
	for len(s.carts) > 0 && (len(s.carts) >= shopVisits || s.rng.Float64() >= shopNew) {
		i := s.rng.IntN(len(s.carts))
		v := s.carts[i]
		s.carts[i] = s.carts[len(s.carts)-1]
		s.carts = s.carts[:len(s.carts)-1]
		switch chance := s.rng.Float64(); {
		case v.inCart && chance < shopToBuy:
			return v, "purchase"
		case v.inCart:
			return v, "remove_from_cart"
		case chance < shopToCart:
			v.inCart = true
			s.carts = append(s.carts, v)
			return v, "add_to_cart"
		}
	}
	v := visit{user: s.users.Uint64(), product: s.products.Uint64()}
	s.carts = append(s.carts, v)
	return v, "view"
}

// price is that of a product, which does not change.
func (s *Shop) price(product uint64) string {
	rng := rand.New(rand.NewPCG(s.seed, product))
	cents := math.Round(100 * shopMedian * math.Exp(shopSpread*rng.NormFloat64()))
	if cents > 1000 { // prices end in 9
		cents = math.Round(cents/10)*10 - 1
	}
	return strconv.FormatFloat(max(cents, 1)/100, 'f', 2, 64)
}

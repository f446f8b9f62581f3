package simulate

// DefaultSymbols are simulated where STOCK_SYMBOLS names none.
var DefaultSymbols = []string{"AAPL", "MSFT", "GOOGL", "AMZN", "TSLA"}

// company is what does not change about a symbol: about where its price lies,
// how much it moves with the market (beta) and by itself (own; both 1 for an
// ordinary stock), and the code (ISO 10383) of the exchange that lists it.
type company struct {
	price, beta, own float64
	exchange         string
}

const (
	nasdaq = "XNAS"
	nyse   = "XNYS"
	arca   = "ARCX"
)

// companies holds believable, not actual, prices.
var companies = map[string]company{
	"AAPL":  {230, 1.1, 0.9, nasdaq},
	"MSFT":  {440, 0.9, 0.8, nasdaq},
	"GOOGL": {185, 1.0, 1.0, nasdaq},
	"AMZN":  {205, 1.1, 1.1, nasdaq},
	"TSLA":  {290, 1.6, 2.0, nasdaq},

	"GOOG":  {187, 1.0, 1.0, nasdaq},
	"META":  {600, 1.2, 1.2, nasdaq},
	"NVDA":  {140, 1.6, 1.5, nasdaq},
	"AMD":   {135, 1.6, 1.6, nasdaq},
	"INTC":  {24, 1.1, 1.5, nasdaq},
	"AVGO":  {190, 1.4, 1.4, nasdaq},
	"QCOM":  {160, 1.2, 1.1, nasdaq},
	"NFLX":  {880, 1.1, 1.2, nasdaq},
	"ADBE":  {440, 1.1, 1.1, nasdaq},
	"CSCO":  {58, 0.8, 0.7, nasdaq},
	"PEP":   {150, 0.5, 0.6, nasdaq},
	"COST":  {940, 0.8, 0.7, nasdaq},
	"COIN":  {260, 2.0, 2.4, nasdaq},
	"PYPL":  {80, 1.2, 1.2, nasdaq},
	"ORCL":  {170, 1.0, 1.0, nyse},
	"CRM":   {320, 1.1, 1.1, nyse},
	"IBM":   {225, 0.7, 0.7, nyse},
	"JPM":   {245, 0.9, 0.7, nyse},
	"BAC":   {45, 1.0, 0.8, nyse},
	"GS":    {590, 1.1, 0.8, nyse},
	"V":     {315, 0.8, 0.6, nyse},
	"MA":    {520, 0.8, 0.6, nyse},
	"BRK.A": {690_000, 0.6, 0.4, nyse},
	"BRK.B": {460, 0.6, 0.4, nyse},
	"JNJ":   {150, 0.4, 0.6, nyse},
	"PFE":   {26, 0.6, 0.9, nyse},
	"UNH":   {540, 0.6, 0.9, nyse},
	"LLY":   {780, 0.7, 1.1, nyse},
	"WMT":   {92, 0.6, 0.6, nyse},
	"KO":    {63, 0.4, 0.5, nyse},
	"MCD":   {295, 0.5, 0.6, nyse},
	"NKE":   {75, 0.9, 1.0, nyse},
	"DIS":   {110, 0.9, 0.9, nyse},
	"XOM":   {115, 0.7, 0.8, nyse},
	"CVX":   {155, 0.7, 0.8, nyse},
	"BA":    {175, 1.2, 1.2, nyse},
	"CAT":   {370, 1.0, 0.9, nyse},
	"F":     {10.5, 1.2, 1.1, nyse},
	"GE":    {180, 1.1, 1.0, nyse},
	"UBER":  {68, 1.3, 1.3, nyse},
	"T":     {23, 0.5, 0.7, nyse},
	"SPY":   {595, 1.0, 0.1, arca},
	"QQQ":   {515, 1.2, 0.2, arca},
}

// companyOf returns the company of that symbol, or one that the hash of its
// name makes up: $ 10 to $ 500 and an ordinary temper.
func companyOf(symbol string, hash uint64) company {
	if c, ok := companies[symbol]; ok {
		return c
	}
	h := mix(hash)
	part := func() float64 { // 0 to 1, from the next 16 bits
		u := float64(h&0xffff) / 0xffff
		h >>= 16
		return u
	}
	u := part()
	c := company{price: 10 + 490*u*u, beta: 0.6 + part(), own: 0.7 + part(), exchange: nyse}
	if h&1 == 1 {
		c.exchange = nasdaq
	}
	return c
}

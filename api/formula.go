package api

// Formula is one indicator that can be computed.
type Formula struct {
	Name   string         `json:"name" example:"macd" doc:"Its name"`
	Title  string         `json:"title" example:"moving average convergence/divergence" doc:"Its name for people"`
	Spec   string         `json:"spec" example:"macd(12,26,9)" doc:"How to ask for it, with the usual numbers"`
	Text   string         `json:"text" example:"EMA(fast) − EMA(slow)" doc:"What is computed"`
	Params []FormulaParam `json:"params" nullable:"false" doc:"The numbers in the parentheses, in their order"`
	Names  []string       `json:"names" nullable:"false" example:"[\"macd_12_26_9\",\"macd_12_26_9.signal\",\"macd_12_26_9.histogram\"]" doc:"The names of its values with the usual numbers, the main one first"`
	Unit   string         `json:"unit" example:"price" doc:"What its values are measured in"`
	WarmUp int            `json:"warmUp" example:"34" doc:"Candles that it takes until all its values are there"`
	Source string         `json:"source" example:"G. Appel, Technical Analysis: Power Tools for Active Investors (2005), ch. 8" doc:"Where it comes from"`
}

// FormulaParam is one number of a [Formula].
type FormulaParam struct {
	Name    string  `json:"name" example:"fast" doc:"Its name"`
	Default float64 `json:"default" example:"12" doc:"The usual number, which may be left out at the end"`
	Min     float64 `json:"min" example:"1" doc:"The least that it may be"`
	Max     float64 `json:"max" example:"1000" doc:"The most that it may be"`
	Whole   bool    `json:"whole" example:"true" doc:"Whether it must be a whole number"`
}

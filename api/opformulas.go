package api

import (
	"context"

	"github.com/danielgtaylor/huma/v2"
)

func (s *Server) registerFormulas(api huma.API) {
	type output struct {
		CacheControl string `header:"Cache-Control" doc:"They change with the program only"`
		Body         []Formula
	}
	huma.Register(api, get("list-formulas", "/api/formulas", "candles", "Formulas",
		"The indicators that can be computed, with what their specs are made of."),
		func(context.Context, *struct{}) (*output, error) {
			all := []Formula{}
			if s.config.Market.Formulas != nil {
				all = s.config.Market.Formulas.Formulas()
			}
			return &output{"private, max-age=300", all}, nil
		})
}

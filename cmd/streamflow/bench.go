package main

// benchCmd measures.
type benchCmd struct{}

// Run is to come.
func (benchCmd) Run() error { return nil }

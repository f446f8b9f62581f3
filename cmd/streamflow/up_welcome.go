package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
)

// welcome says where everything is and what to try.
func (c *upCmd) welcome(s servers, v *vault, ln net.Listener) {
	dir, err := filepath.Abs(c.DataDir)
	if err != nil {
		dir = c.DataDir
	}
	http, addr := c.url(ln), ln.Addr().String()
	fmt.Fprintf(os.Stdout, `
StreamFlow is ready.

  page        %[1]s
  API         %[1]s/api/stocks    docs: %[1]s/docs    health: %[1]s/ready
  websocket   %[2]s%[3]s/ws              send {"subscribe":["ticks.*"]}
  Kafka       %[4]s    topic %[5]s: {"symbol":"AAPL","price":187.23,"volume":100,"timestamp":"..."}
`, http, scheme("ws", c.HTTPCert), addr, s.Brokers, s.Topic)
	if v != nil {
		v.welcome(s, http)
	} else {
		fmt.Fprintf(os.Stdout, `  NATS        %[1]s    try: nats sub 'ticks.>' -s %[1]s
  PostgreSQL  try: psql '%[2]s' -c 'SELECT * FROM stock_ticks ORDER BY time DESC LIMIT 5'
  data        %[3]s

Look at it:  streamflow tail     Prove it:  streamflow verify     Stop it:  Ctrl-C

`, s.NATS, s.Database, dir)
	}
}

// welcome says how to come into a system that is closed.
func (v *vault) welcome(s servers, http string) {
	env, ca := v.file(partAdmin, "env"), v.files.CA
	admin := v.as(s, partAdmin)
	fmt.Fprintf(os.Stdout, `  NATS        %[1]s    try: nats sub 'ticks.>' -s %[1]s --tlsca %[2]s --nkey %[3]s --inbox-prefix %[4]s
  PostgreSQL  try: PGPASSWORD=$(cat %[5]s) psql '%[6]s' -c 'SELECT * FROM stock_ticks ORDER BY time DESC LIMIT 5'
  secrets     %[7]s    for each part a password (Kafka, PostgreSQL), an nkey (NATS) and NAME.env with all of it

Nobody comes in without TLS and a name. As the administrator:

  set -a; . %[8]s; set +a                the commands below, and all others, connect by these variables
  streamflow tail     streamflow verify     streamflow keys create NAME
  curl --cacert %[2]s -H "X-Api-Key: $(cat %[9]s)" %[10]s/api/stocks

The page asks for that key as a password; the browser must know the authority %[2]s.

`, s.NATS, ca, v.file(partAdmin, "nkey"), admin.InboxPrefix, v.file(partAdmin, "password"), admin.Database, v.dir, env, v.file(partAdmin, "api-key"), http)
}

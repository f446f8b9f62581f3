package guard

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// address returns the address of who has sent a request, the zero Addr if it
// cannot be told.
func address(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap()
}

// relayed are headers that only a proxy sends: who is behind it may be anybody.
var relayed = []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Via"}

// remote says why a request is not one of this machine to this machine, "" if
// it is one. The connection alone does not tell: a page of any site can make a
// visitor's browser ask 127.0.0.1, by a name of its own that it has rebound to
// there, and then the name is what gives it away.
func remote(r *http.Request, listener net.Addr) string {
	if listener == nil {
		listener, _ = r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	}
	switch {
	case !loopbackAddr(listener):
		return "this server listens on an address that others can reach"
	case !address(r).IsLoopback():
		return "the request comes from another machine"
	case !loopbackHost(r.Host):
		return "the server was asked for by a name that is not localhost or a loopback address"
	}
	for _, name := range relayed {
		if len(r.Header.Values(name)) > 0 {
			return "the request came through a proxy (header " + name + ")"
		}
	}
	return ""
}

func loopbackAddr(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// loopbackHost judges a Host header.
func loopbackHost(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.TrimSuffix(strings.TrimPrefix(name, "["), "]")
	if strings.EqualFold(name, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(name)
	return err == nil && ip.Unmap().IsLoopback()
}

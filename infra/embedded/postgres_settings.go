package embedded

import "strconv"

// settings are given at every start, so that they follow the program and not
// the cluster. What is not here can be set in postgresql.conf.
func settings(bin binaries, dir, host string, port int) []string {
	if host == "" {
		host = "*"
	}
	args := []string{"-D", dir}
	for _, kv := range []string{
		"listen_addresses=" + host,
		"port=" + strconv.Itoa(port),
		"unix_socket_directories=", // their paths may be too long, and TCP serves
		"max_connections=50",
		"shared_buffers=128MB",
		"max_wal_size=2GB",
		"wal_compression=on",
		"fsync=on",
		"synchronous_commit=on",
		"timezone=UTC",
		"log_timezone=UTC",
		"log_destination=stderr",
		"logging_collector=off",
		"log_line_prefix=",
	} {
		args = append(args, "-c", kv)
	}
	if bin.hasLibrary("timescaledb") {
		args = append(args, "-c", "shared_preload_libraries=timescaledb", "-c", "timescaledb.telemetry_level=off")
	}
	return args
}

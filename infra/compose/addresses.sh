#!/bin/sh
# Waits until the API is ready, and says where everything is that
# docker-compose.yml lets in from this machine.
set -eu
scheme=${SCHEME:-http}
if [ "$scheme" = https ]; then ws=wss nats=tls; else ws=ws nats=nats; fi
deadline=$(($(date +%s) + 300))
until docker compose ${FILES:-} exec -T api /streamflow health >/dev/null 2>&1; do
	if [ "$(date +%s)" -ge "$deadline" ]; then
		docker compose ${FILES:-} --profile '*' ps --all >&2
		docker compose ${FILES:-} exec -T api /streamflow health >&2 || :
		echo "the API is not ready after five minutes; its state is above, its log: docker compose logs api" >&2
		exit 1
	fi
	sleep 1
done
cat <<-END

	StreamFlow is ready.

	  page         $scheme://127.0.0.1:${HTTP_PORT:-8080}
	  API          $scheme://127.0.0.1:${HTTP_PORT:-8080}/docs
	  websocket    $ws://127.0.0.1:${HTTP_PORT:-8080}/ws
	  Grafana      http://127.0.0.1:3000    admin, password: infra/compose/secrets/grafana_password
	  Prometheus   http://127.0.0.1:9090
	  Jaeger       http://127.0.0.1:16686   its traces: OTEL_EXPORTER_OTLP_ENDPOINT=http://jaeger:4318
	  Kafka        127.0.0.1:9092           console: http://127.0.0.1:8081
	  NATS         $nats://127.0.0.1:4222
	  TimescaleDB  postgres://streamflow@127.0.0.1:5433/streamflow    password: infra/compose/secrets/database_password

	$(if [ "$scheme" = https ]; then echo "Closed: the page asks for a key, infra/compose/secrets/closed/admin.api-key; its authority is ca.pem beside it.
	Be admin on this machine:  set -a; . infra/compose/secrets/closed/admin.env; set +a"; fi)

	Look at it:  docker compose logs -f bridge     Stop it:  go tool task compose:down

END

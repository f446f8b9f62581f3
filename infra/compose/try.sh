#!/bin/sh
# Runs docker-compose.yml as a project of its own and looks whether all of it is
# well: every container is healthy, the doctor finds nothing that fails, the three
# stores are equal, Prometheus is answered by all that it asks. Containers and
# data are gone when it ends.
set -eu
cd "$(dirname "$0")/../.."
export COMPOSE_PROJECT_NAME=streamflow-try
compose="docker compose --profile core --profile observability --profile tools"
# All that is not as it should be; "topics" ends when it is done.
sick() { $compose ps --all --format '{{.Service}} {{.State}} {{.Health}}' | grep -v -e ' running healthy$' -e '^topics exited' || :; }
stop() {
	code=$?
	[ $code = 0 ] || { sick && $compose logs --tail 40; } >&2
	$compose down --volumes --remove-orphans
	exit $code
}
infra/compose/secrets.sh
trap stop EXIT
$compose up --detach --build
infra/compose/addresses.sh
deadline=$(($(date +%s) + 300))
while [ -n "$(sick)" ]; do
	[ "$(date +%s)" -lt "$deadline" ] || { echo "not healthy after five minutes" >&2; exit 1; }
	sleep 2
done
$compose run --rm --no-deps topics doctor
$compose run --rm --no-deps topics verify
down=$($compose exec -T prometheus wget -q -O - 'http://127.0.0.1:9090/api/v1/query?query=up%3D%3D0')
case $down in
*'"result":[]'*) echo "Prometheus is answered by all." ;;
*) echo "Prometheus is not answered by: $down" >&2; exit 1 ;;
esac

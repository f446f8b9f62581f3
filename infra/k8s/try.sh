#!/bin/sh
# Runs overlay dev on a cluster of its own (kind) and looks whether it is well:
# all parts are ready, the doctor finds nothing that fails, the three stores are
# equal. The cluster is gone when it ends.
set -eu
cd "$(dirname "$0")/../.."
name=streamflow-try
kubectl="kubectl --context kind-$name --namespace streamflow"
stop() {
	code=$?
	[ $code = 0 ] || { $kubectl get pods -o wide; $kubectl get events --sort-by=.lastTimestamp | tail -50; } >&2
	kind delete cluster --name $name
	exit $code
}
docker build -f infra/Dockerfile --target streamflow -t streamflow:dev .
kind create cluster --name $name --wait 120s
trap stop EXIT
kind load docker-image streamflow:dev --name $name
kubectl --context kind-$name create namespace streamflow
$kubectl create secret generic streamflow \
	--from-literal=database_password="$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')" --from-literal=mask_key="$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')"
$kubectl apply -k infra/k8s/overlays/dev
for set in kafka nats timescaledb; do
	$kubectl rollout status statefulset/$set --timeout=300s
done
$kubectl wait --for=condition=available deployment --all --timeout=300s
$kubectl exec deploy/api -- /streamflow doctor
$kubectl exec deploy/api -- /streamflow verify

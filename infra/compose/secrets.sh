#!/bin/sh
# Makes the passwords of docker-compose.yml, those that are not there yet. Keep
# mask_key as long as the data: another key makes other masks.
set -eu
umask 077
dir=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)/secrets
mkdir -p "$dir"
for name in database_password mask_key grafana_password; do
	[ -s "$dir/$name" ] && continue
	od -An -N24 -tx1 /dev/urandom | tr -d ' \n' >"$dir/$name.part"
	# The containers are other users, and only the directory keeps others out.
	chmod 444 "$dir/$name.part"
	mv "$dir/$name.part" "$dir/$name"
	echo "made infra/compose/secrets/$name"
done

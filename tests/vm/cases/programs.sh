#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
# title: programs nobody here wrote, moved to SMC by a policy
# hosts: 1
# kernel: 6.12
# timeout: 600
# suites: check
. "$SMCU_TREE/tests/vm/lib.sh"
. "$SMCU_TREE/tests/vm/cases/lib/common.sh"

LOADER=$SMCU_TREE/build/loader/smc-ulp-loader
CGROUP=/sys/fs/cgroup/programs
HERE=127.0.0.1

# inside COMMAND...: as a program the policy looks at. Nothing else about it changes.
inside() {
	bash -c 'echo 0 >"$0/cgroup.procs" && exec "$@"' "$CGROUP" "$@"
}

is_listening() { ss -Hltn "sport = :$1" | grep -q .; }

# serve PORT COMMAND...: in the background and in the cgroup, until the case ends.
serve() {
	inside "${@:2}" >"$TMP/log.$1" 2>&1 &
	at_exit "kill $! 2>/dev/null"
	wait_for 60 is_listening "$1" || fail "server on port $1" "$(tail -n 3 "$TMP/log.$1")"
}

# moved NAME BYTES COMMAND...: it must end well, and at least BYTES must have gone over SMC and none of its connections over TCP.
moved() {
	local name=$1 least=$2 bytes packets tcp
	shift 2
	bytes=$(stat_of tx_bytes) packets=$(rxe_sent_pkts) tcp=$(fallbacks)
	if ! "$@" >"$TMP/out" 2>&1; then
		fail "$name" "$(tail -n 3 "$TMP/out" | tr '\n' ' ')"
		explain "$TMP/out"
		return
	fi
	bytes=$(($(stat_of tx_bytes) - bytes)) packets=$(($(rxe_sent_pkts) - packets)) tcp=$(($(fallbacks) - tcp))
	if [ $bytes -lt "$least" ] || [ $packets = 0 ] || [ $tcp != 0 ]; then
		fail "$name" "$bytes bytes by SMC, $packets RDMA packets, $tcp connections fell back"
	else
		pass "$name: $bytes bytes in $packets RDMA packets"
	fi
}

fallbacks() { awk '/^fallback_/ { n += $2 } END { print n + 0 }' /proc/net/smc_ulp/stats; }

same_sum() { [ "$(sha256sum <"$1")" = "$(sha256sum <"$2")" ] || { echo "$2 arrived wrong"; return 1; }; }

check "modules load" eval 'smcu_load && smcu_load_bpf && rxe_up'
mkdir "$CGROUP"
printf 'version: 1\ndefault: smc\nrules: []\n' >"$TMP/policy.yaml"
check "policy is attached" "$LOADER" attach --cgroup "$CGROUP" --policy "$TMP/policy.yaml"
head -c 2M /dev/urandom >"$TMP/file"
SUM=$(sha256sum <"$TMP/file")

# Streams in both directions at once, by sendfile, and with TCP_NODELAY.
stream() {
	inside iperf3 -s -1 -B $HERE -p 5201 >"$TMP/iperf" 2>&1 &
	wait_for 30 is_listening 5201 && inside iperf3 -c $HERE -p 5201 "$@"
}
moved "iperf3" 1000000 stream -n 1M
moved "iperf3 -Z -R" 1000000 stream -Z -R -n 1M
moved "iperf3 --bidir -P 2" 100000 stream --bidir -P 2 -n 200K

# Many clients of an event loop, pipelined.
serve 6379 redis-server --bind $HERE --port 6379 --save '' --dir "$TMP"
moved "redis-benchmark, 20 clients, pipelined" 100000 inside redis-benchmark -h $HERE -n 1000 -c 20 -P 8 -d 100 -t set,get -q

# Event loops in threads, which hand descriptors to each other.
serve 11211 memcached -u root -l $HERE -p 11211 -t 3
memcached_keeps() {
	{
		for i in 1 2 3 4 5; do
			printf 'set k%d 0 0 100000\r\n' $i
			head -c 100000 "$TMP/file"
			printf '\r\n'
		done
		printf 'get k5\r\nquit\r\n'
	} | inside socat -t 60 - TCP:$HERE:11211 >"$TMP/got" || return 1
	[ "$(grep -ac '^STORED' "$TMP/got")" = 5 ] || return 1
	grep -a -A 100000 '^VALUE' "$TMP/got" | tail -c +$((1 + ${#HEAD_OF_VALUE})) | head -c 100000 | cmp - <(head -c 100000 "$TMP/file")
}
HEAD_OF_VALUE=$'VALUE k5 0 100000\r\n'
moved "memcached, values of 100000 bytes" 600000 memcached_keeps

# sendfile, keepalive, ranges; accept when there is data, two listeners on the port.
mkdir "$TMP/nginx" "$TMP/www"
cp "$TMP/file" "$TMP/www/file"
{
	echo "daemon off; user root; worker_processes 2; pid $TMP/nginx/pid; error_log stderr; events { } http { access_log off;"
	echo "sendfile on; tcp_nopush on; client_body_temp_path $TMP/nginx; proxy_temp_path $TMP/nginx;"
	echo "fastcgi_temp_path $TMP/nginx; uwsgi_temp_path $TMP/nginx; scgi_temp_path $TMP/nginx;"
	echo "server { listen $HERE:8080 reuseport deferred; root $TMP/www; } }"
} >"$TMP/nginx/conf"
serve 8080 nginx -c "$TMP/nginx/conf"
fetch_parts() {
	inside curl -sS --fail -o "$TMP/whole" http://$HERE:8080/file --next \
		-sS --fail -r 0-999999 -o "$TMP/a" http://$HERE:8080/file --next \
		-sS --fail -r 1000000- -o "$TMP/b" http://$HERE:8080/file || return 1
	cat "$TMP/a" "$TMP/b" >"$TMP/ab"
	same_sum "$TMP/file" "$TMP/whole" && same_sum "$TMP/file" "$TMP/ab"
}
moved "nginx and curl, whole and in ranges" 4000000 fetch_parts

# Half-close: the answer comes after the end of the question, from a child that was forked for it.
serve 9001 socat TCP-LISTEN:9001,bind=$HERE,reuseaddr,fork EXEC:sha256sum
half_close() { [ "$(inside socat -t 60 - TCP:$HERE:9001 <"$TMP/file")" = "$SUM" ]; }
moved "socat, half-close" 2000000 half_close

# A protocol of its own in both directions at once, select(), a child for each connection.
printf 'use chroot = no\nuid = 0\ngid = 0\n[data]\npath = %s\nread only = no\n' "$TMP/rsync" >"$TMP/rsyncd.conf"
mkdir "$TMP/rsync" "$TMP/back"
serve 8730 rsync --daemon --no-detach --address $HERE --port 8730 --config "$TMP/rsyncd.conf"
sync_both() {
	inside rsync -a "$TMP/file" rsync://$HERE:8730/data/ || return 1
	printf 'changed' | dd of="$TMP/rsync/file" bs=1 seek=5000 conv=notrunc status=none
	inside rsync -a --ignore-times --no-whole-file "$TMP/file" rsync://$HERE:8730/data/ || return 1
	inside rsync -a rsync://$HERE:8730/data/file "$TMP/back/" && same_sum "$TMP/file" "$TMP/back/file"
}
moved "rsync daemon, there, difference, back" 4000000 sync_both

# Its own checks of what sockets do, with all kinds of options and messages.
moved "stress-ng --sock" 10000 inside stress-ng --timeout 60 --sock 1 --sock-ops 5 --sock-nodelay

check "no connection broke" test "$(stat_of hs_failed) $(stat_of lost) $(stat_of rx_bad)" = "0 0 0"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
# The demo inside the guests. Host 1 has the servers, host 2 the clients; tests/demo/run makes a table of the ROW lines.
. "$SMCU_TREE/tests/vm/lib.sh"

DEMO=$SMCU_TREE/tests/demo
LOADER=$SMCU_TREE/build/loader/smc-ulp-loader
IO=$SMCU_TREE/build/tools/smcu_io
CGROUP=/sys/fs/cgroup/demo
SERVER=10.77.0.1
TMP=$(mktemp -d)
FILE_MIB=64

say() { echo "SAY $*"; }

need() {
	local out
	if ! out=$("$@" 2>&1); then
		echo "FAIL $*: $out"
		exit 1
	fi
}

# in_cgroup COMMAND...: as a program the policy looks at. Nothing else about it changes.
in_cgroup() {
	bash -c 'echo 0 >"$0/cgroup.procs" && exec "$@"' "$CGROUP" "$@"
}

is_listening() {
	ss -Hltn "sport = :$1" | grep -q .
}

prepare() {
	need smcu_load
	need smcu_load_bpf
	need rxe_up
	mkdir "$CGROUP"
	need "$LOADER" attach --cgroup "$CGROUP" --policy "$DEMO/policy.yaml"
}

# ---- host 1 --------------------------------------------------------------------------------------------------

# nginx_config NAME PORT...
nginx_config() {
	local name=$1 port
	mkdir -p "$TMP/$name"
	{
		echo "daemon off; user root; worker_processes 1; pid $TMP/$name/pid; error_log stderr;"
		echo "events { } http { access_log off; sendfile on; client_body_temp_path $TMP/$name;"
		echo "proxy_temp_path $TMP/$name; fastcgi_temp_path $TMP/$name; uwsgi_temp_path $TMP/$name;"
		echo "scgi_temp_path $TMP/$name; server { root $TMP/www;"
		for port in "${@:2}"; do
			echo "listen $SERVER:$port;"
		done
		echo "} }"
	} >"$TMP/$name/nginx.conf"
}

servers() {
	say "host 1: starting redis, nginx and a checking receiver in the cgroup, one more nginx outside of it"
	mkdir "$TMP/www"
	head -c ${FILE_MIB}M /dev/urandom >"$TMP/www/file"
	nginx_config inside 8080 8090
	nginx_config outside 8081
	in_cgroup redis-server --bind $SERVER --protected-mode no --save '' --dir "$TMP" >"$TMP/redis.log" 2>&1 &
	in_cgroup nginx -c "$TMP/inside/nginx.conf" >"$TMP/inside/log" 2>&1 &
	nginx -c "$TMP/outside/nginx.conf" >"$TMP/outside/log" 2>&1 &
	in_cgroup "$IO" server $SERVER 9000 -c 4 --stall 200 >"$TMP/io.log" 2>&1 &
	for port in 6379 8080 8090 8081 9000; do
		need wait_for 60 is_listening $port
	done
	tell checksum "$(sha256sum <"$TMP/www/file")"
	barrier listening
	barrier done 330
	tail -n 1 "$TMP/io.log"
}

# ---- host 2 --------------------------------------------------------------------------------------------------

count_on_wire() {
	modprobe nf_tables
	need nft -f - <<-END
	table inet demo {
		counter by_rdma { }
		counter by_tcp { }
		chain out {
			type filter hook output priority 0
			oifname eth0 udp dport 4791 counter name by_rdma
			oifname eth0 meta l4proto tcp counter name by_tcp
		}
		chain in {
			type filter hook input priority 0
			iifname eth0 udp dport 4791 counter name by_rdma
			iifname eth0 meta l4proto tcp counter name by_tcp
		}
	}
	END
}

wire_bytes() {
	nft list counter inet demo "by_$1" | sed -n 's/.*bytes \([0-9]*\).*/\1/p'
}

# What the module counted since the snapshot in $TMP/stats, in words.
why() {
	awk 'NR == FNR { old[$1] = $2; next } $2 > old[$1] { new[$1] = $2 - old[$1] }
	     END {
		if (new["smc_client"]) { printf("selected by the policy (%d connection%s)", new["smc_client"], new["smc_client"] > 1 ? "s" : ""); exit }
		for (n in new) if (n ~ /^fallback_/) { sub("fallback_", "", n); gsub("_", " ", n); printf "fell back: %s", n; exit }
		printf "not selected by the policy"
	     }' "$TMP/stats" /proc/net/smc_ulp/stats
}

# step EXPECTED CONNECTION PROGRAM COMMAND...: COMMAND prints the number of bytes the program has carried.
step() {
	local expected=$1 where=$2 program=$3 bytes rdma tcp packets carrier=TCP reason
	shift 3
	say "host 2: $program -> $where"
	cp /proc/net/smc_ulp/stats "$TMP/stats"
	rdma=$(wire_bytes rdma) tcp=$(wire_bytes tcp) packets=$(rxe_sent_pkts)
	if ! bytes=$("$@" 2>"$TMP/err"); then
		fail "$program" "$(tail -n 2 "$TMP/err")"
		bytes=0
	fi
	rdma=$(($(wire_bytes rdma) - rdma)) tcp=$(($(wire_bytes tcp) - tcp)) packets=$(($(rxe_sent_pkts) - packets))
	reason=$(why)
	[ $rdma -lt $tcp ] || carrier=SMC-R
	[ "$carrier" = "$expected" ] || fail "$program" "it was $carrier ($reason)"
	echo "ROW|$where|$program|$carrier|$reason|$bytes|$rdma|$packets|$tcp"
}

redis() {
	in_cgroup redis-benchmark -h $SERVER -n 3000 -c 20 -d 1000 -t set,get -q >&2 || return 1
	redis-cli -h $SERVER info stats | tr -d '\r' | awk -F: '/^total_net_(in|out)put_bytes/ { n += $2 } END { print n }'
}

# fetch COMMAND... PORT: 64 MiB, compared with the checksum host 1 told.
fetch() {
	"${@:1:$#-1}" curl -sS --fail --max-time 120 -o "$TMP/got" -w '%{size_download}\n' "http://$SERVER:${*: -1}/file" || return 1
	[ "$(sha256sum <"$TMP/got")" = "$CHECKSUM" ] || { echo "the file arrived wrong" >&2; return 1; }
	rm "$TMP/got"
}

checked() {
	in_cgroup "$IO" client $SERVER 9000 -c 4 -n 2M --stall 100 >"$TMP/io.out" || return 1
	awk '{ for (i = 1; i <= NF; i++) if (split($i, kv, "=") == 2 && kv[1] ~ /^(sent|received)$/) n += kv[2] }
	     END { print n }' "$TMP/io.out"
}

clients() {
	count_on_wire
	barrier listening
	CHECKSUM=$(ask checksum)
	step SMC-R $SERVER:6379 "redis-benchmark (unmodified)" redis
	step SMC-R $SERVER:8080 "curl, $FILE_MIB MiB, from nginx" fetch in_cgroup 8080
	step SMC-R $SERVER:9000 "static C program, both ways" checked
	step TCP $SERVER:8090 "curl, port left on TCP by policy" fetch in_cgroup 8090
	step TCP $SERVER:8080 "curl, not in the policy's cgroup" fetch env 8080
	step TCP $SERVER:8081 "curl, from a server without SMC" fetch in_cgroup 8081
	barrier "done"
}

prepare
if [ "$SMCU_HOST" = 1 ]; then
	servers
else
	say "two Debian $(uname -r) guests, soft-RoCE, policy attached to $CGROUP"
	clients
fi

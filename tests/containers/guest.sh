#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
# title: containers of crun, runc, podman and containerd: with the annotation SMC, without it TCP; hooks that fail
# hosts: 1
# kernel: 6.12
# timeout: 600
# suites: check
#
# Both ends of each exchange run in one container, in the host's network namespace (soft-RoCE is in no other before 7.2; netns.sh has those).
. "$SMCU_TREE/tests/vm/lib.sh"
. "$SMCU_TREE/tests/vm/cases/lib/common.sh"

LOADER=$SMCU_TREE/build/loader/smc-ulp-loader
BPFFS=/sys/fs/bpf

# An exchange between two processes, one of which waits for the other to listen.
cat >"$TMP/exchange" <<-END
	#!/bin/sh
	rm -f /tmp/ready
	/smcu_io server $LO_ADDR \$1 -c 4 --ready /tmp/ready &
	while [ ! -e /tmp/ready ]; do kill -0 \$! || exit 1; sleep 0.05; done
	/smcu_io client $LO_ADDR \$1 -c 4 -n 100K && wait \$!
END
chmod 755 "$TMP/exchange"

# bundle NAME ANNOTATION HOOK: a container whose root is this guest's, read-only but for /tmp.
bundle() {
	local dir=$TMP/$1
	mkdir -p "$dir/rootfs"
	PORT=$((PORT + 1))
	python3 - "$dir" "$1" "$2" "$3" "$TMP/exchange" "$IO" "$PORT" <<-'END'
		import json, sys
		directory, name, annotation, hook, exchange, program, port = sys.argv[1:]
		bind = lambda d: {"destination": d, "type": "bind", "source": d, "options": ["rbind", "ro"]}
		mounts = [bind(d) for d in ("/usr", "/lib", "/lib64", "/bin", "/etc")]
		mounts += [{"destination": "/proc", "type": "proc", "source": "proc"},
		           {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]},
		           {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["mode=1777"]},
		           {"destination": "/exchange", "type": "bind", "source": exchange, "options": ["bind", "ro"]},
		           {"destination": "/smcu_io", "type": "bind", "source": program, "options": ["bind", "ro"]}]
		spec = {"ociVersion": "1.0.2", "hostname": name, "root": {"path": "rootfs"}, "mounts": mounts,
		        "process": {"user": {"uid": 0, "gid": 0}, "cwd": "/", "args": ["/exchange", port], "env": ["PATH=/usr/bin:/bin"]},
		        "annotations": {"io.smc-ulp/enable": annotation} if annotation else {},
		        "linux": {"cgroupsPath": f"/containers/{name}", "namespaces": [{"type": t} for t in ("pid", "mount", "ipc", "uts")]}}
		if hook != "none":
		    args = hook.split()
		    spec["hooks"] = {s: [{"path": args[0], "args": [*args, s], "timeout": 60}] for s in ("createRuntime", "poststop")}
		json.dump(spec, open(f"{directory}/config.json", "w"))
	END
}

pins() { find $BPFFS/smc-ulp -name '[0-9]*-connect4' -o -name '*@*' 2>/dev/null; }
conversions() { awk '/^smc_(client|server) / { n += $2 } END { print n + 0 }' /proc/net/smc_ulp/stats; }

# start RUNTIME NAME: to its end.
start() { "$1" run --no-pivot --bundle "$TMP/$2" "$2" </dev/null >"$TMP/$2.out" 2>&1; }

# contain RUNTIME NAME ANNOTATION HOOK WANTED-CONVERSIONS WANTED-STATUS WHAT: the status "refused" is any but 0.
contain() {
	local before status
	bundle "$2" "$3" "$4"
	before=$(conversions)
	start "$1" "$2"
	status=$?
	"$1" delete --force "$2" 2>/dev/null
	[ "$6" != refused ] || [ $status = 0 ] || status=refused
	if [ "$status" != "$6" ]; then
		fail "$1: $7" "status $status: $(tail -n 3 "$TMP/$2.out" | tr '\n' ' ')"
	elif [ $(($(conversions) - before)) != "$5" ]; then
		fail "$1: $7" "$(($(conversions) - before)) conversions, not $5; $(tail -n 3 "$TMP/$2.out" | tr '\n' ' ')"
	else
		pass "$1: $7"
	fi
}

# 1 if nothing is left of any container.
is_clean() { [ -z "$(pins)" ] || { pins; return 1; }; }

check "module loads" load_module
[ ! -e "$SMCU_MODDIR/smc_ulp_bpf.ko" ] || check "module for BPF loads" smcu_load_bpf
check "adapter on lo" rxe_up
# As the daemon's unit does: a hook then has programs to attach by, and need not wait for the verifier.
check "programs are ready" "$LOADER" -q attach --all

hook="$LOADER hook oci"
for runtime in crun runc; do
	contain $runtime yes-$runtime true "$hook" 8 0 "with the annotation: SMC"
	check "$runtime: poststop cleaned up" is_clean
	contain $runtime one.$runtime 1 "$hook" 8 0 "the annotation may be 1, the id have a dot"
	contain $runtime no-$runtime "" "$hook" 0 0 "without the annotation: TCP"
	contain $runtime false-$runtime false "$hook" 0 0 "annotation false: TCP"
	contain $runtime plain-$runtime true none 0 0 "without a hook: TCP"
	check "$runtime: nothing is left" is_clean
done

# Slow: somebody holds the lock for longer than the hook may take.
mkdir -p $BPFFS/smc-ulp/v1/links
flock -o $BPFFS/smc-ulp/v1 sleep 1000 &
locker=$!
at_exit "pkill -P $locker"
wait_for 20 sh -c "! flock -n $BPFFS/smc-ulp/v1 true"
contain crun slow true "$hook" 0 0 "a hook that cannot get on in time: the container starts, on TCP"
contain crun closed true "$LOADER hook oci --fail-closed" 0 refused "the same with --fail-closed: it does not start"
pkill -P $locker
wait $locker

# Killed: by a wrapper that kills the hook's worker, and by one that kills the hook.
cat >"$TMP/killer" <<-END
	#!/bin/bash
	$LOADER hook oci "\$1" & hook=\$!
	kill -9 \$hook
	wait \$hook
	exit 0
END
chmod 755 "$TMP/killer"
contain crun killed true "$TMP/killer" 0 0 "a hook that is killed: the container starts, on TCP"
contain crun after-killed true "$hook" 8 0 "and the next one is as ever"
"$LOADER" -q gc
check "gc leaves nothing of it" is_clean

# Garbage on stdin, at each stage.
for text in '' '{' '[1]' '{"id": "x"}' '{"id": "x", "pid": 1, "annotations": {"io.smc-ulp/enable": "true"}}' \
	'{"id": "../../x", "pid": 4194304, "annotations": {"io.smc-ulp/enable": "1"}}'; do
	for stage in createRuntime poststop nonsense; do
		printf %s "$text" | "$LOADER" hook oci $stage 2>/dev/null || fail "garbage: $text at $stage" "status $?"
	done
	[ "$text" = '{"id": "x"}' ] || # a container that asked for nothing
		{ printf %s "$text" | "$LOADER" hook oci --fail-closed createRuntime 2>/dev/null && fail "garbage: $text, --fail-closed" "status 0"; }
done
check "garbage: nothing is attached" is_clean

# Again and again: idempotent.
bundle twice true none
crun create --no-pivot --bundle "$TMP/twice" twice </dev/null >"$TMP/twice.out" 2>&1
state=$(crun state twice)
for _ in 1 2 3; do
	check "create again" sh -c "echo '$state' | $LOADER hook oci --fail-closed createRuntime"
done
[ "$(pins | wc -l)" = 2 ] && pass "create again: attached once" || fail "create again: attached once" "$(pins | tr '\n' ' ')"
# A container inside of what is attached needs nothing.
check "already covered" sh -c "echo '$state' | sed 's/twice/inner/' | $LOADER hook oci --fail-closed createRuntime"
crun delete --force twice
for _ in 1 2; do
	check "stop again" sh -c "echo '{\"id\": \"twice\", \"pid\": 0}' | $LOADER hook oci --fail-closed poststop"
done
check "stop: nothing is left" sh -c "echo '{\"id\": \"inner\"}' | $LOADER hook oci --fail-closed poststop"
check "all clean" is_clean

# podman finds the hook where it was installed, with nothing said to it but the annotation.
check "hook install" "$LOADER" hook install --runtime podman
mkdir -p /etc/containers "$TMP/root"
(cd "$TMP/root" && mkdir usr lib lib64 bin etc tmp proc dev sys && touch exchange smcu_io)
printf '%s\n' '[engine]' 'no_pivot_root = true' 'cgroup_manager = "cgroupfs"' 'events_logger = "none"' 'runtime = "crun"' >/etc/containers/containers.conf
# podman_runs WANTED-CONVERSIONS WHAT OPTIONS...
podman_runs() {
	local before dir mounts=() wanted=$1 what=$2
	shift 2
	PORT=$((PORT + 1))
	for dir in usr lib lib64 bin; do mounts+=(-v "/$dir:/$dir:ro"); done
	before=$(conversions)
	if ! podman --root "$TMP/store" --runroot "$TMP/run" --storage-driver vfs run --rm --network host --no-hosts \
		--security-opt seccomp=unconfined --security-opt apparmor=unconfined --log-driver none "${mounts[@]}" --tmpfs /tmp \
		-v "$TMP/exchange:/exchange:ro" -v "$IO:/smcu_io:ro" "$@" --rootfs "$TMP/root" /exchange $PORT >"$TMP/podman" 2>&1; then
		fail "podman: $what" "$(tail -n 3 "$TMP/podman" | tr '\n' ' ')"
	elif [ $(($(conversions) - before)) != "$wanted" ]; then
		fail "podman: $what" "$(($(conversions) - before)) conversions, not $wanted"
	else
		pass "podman: $what"
	fi
}
podman_runs 8 "with the annotation: SMC" --annotation io.smc-ulp/enable=true
podman_runs 0 "annotation false: TCP" --annotation io.smc-ulp/enable=false
podman_runs 0 "without the annotation: TCP"
check "podman: nothing is left" is_clean

# containerd, with the spec that its config.toml would name. Its CRI half, which would read that, has no client in Debian: ctr gives it the spec.
ctr oci spec >"$TMP/base.json"
check "hook install for containerd" "$LOADER" -q hook install --runtime containerd --base "$TMP/base.json"
containerd --root "$TMP/containerd" --state "$TMP/containerd-run" --address "$TMP/containerd.sock" >"$TMP/containerd.log" 2>&1 &
at_exit "kill $!"
wait_for 60 ctr --address "$TMP/containerd.sock" version >/dev/null 2>&1 || fail "containerd starts" "$(tail -n 3 "$TMP/containerd.log")"
# containerd_runs ID ANNOTATION WANTED-CONVERSIONS WHAT
containerd_runs() {
	local before
	bundle "$1" "$2" none
	python3 - "$TMP/$1" <<-'END'
		import json, sys
		ours = json.load(open(f"{sys.argv[1]}/config.json"))
		spec = json.load(open("/etc/containerd/smc-ulp-base.json"))
		spec["root"] = {"path": f"{sys.argv[1]}/rootfs"}
		spec["process"].update(ours["process"])
		spec["mounts"] = ours["mounts"]
		spec["annotations"] = ours["annotations"]
		spec["linux"].update(ours["linux"])
		json.dump(spec, open(f"{sys.argv[1]}/spec.json", "w"))
	END
	before=$(conversions)
	if ! ctr --address "$TMP/containerd.sock" run --rm --no-pivot --config "$TMP/$1/spec.json" "$1" </dev/null >"$TMP/$1.out" 2>&1; then
		fail "containerd: $4" "$(tail -n 3 "$TMP/$1.out" | tr '\n' ' ')"
	elif [ $(($(conversions) - before)) != "$3" ]; then
		fail "containerd: $4" "$(($(conversions) - before)) conversions, not $3"
	else
		pass "containerd: $4"
	fi
}
containerd_runs ctr-yes true 8 "with the annotation: SMC"
containerd_runs ctr-no false 0 "annotation false: TCP"
containerd_runs ctr-plain "" 0 "without the annotation: TCP"
check "containerd: nothing is left" is_clean

check "detach" "$LOADER" -q detach --all
[ ! -e $BPFFS/smc-ulp ] && pass "no pin is left" || fail "no pin is left" "$(find $BPFFS/smc-ulp | tr '\n' ' ')"
check "modules unload" smcu_unload

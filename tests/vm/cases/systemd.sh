#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
# title: the daemon's unit, as installed, under systemd
# hosts: 1
# kernel: 6.12
# timeout: 300
# mem: 2500
# suites: check
. "$SMCU_TREE/tests/vm/lib.sh"
. "$SMCU_TREE/tests/vm/cases/lib/common.sh"

APPS=/sys/fs/cgroup/apps
POLICY=/etc/smc-ulp/policy.yaml
UNIT=smc-ulp-loader
LOADER=/usr/sbin/smc-ulp-loader

check "an adapter" rxe_up
# The unit loads the modules, from where they are built. Both names are asked for at once: who is second finds smc_ulp there.
cat >/etc/modprobe.d/here.conf <<-END
	install smc_ulp insmod $SMCU_MODDIR/smc_ulp.ko
	install smc_ulp_bpf insmod $SMCU_MODDIR/smc_ulp.ko 2>/dev/null; insmod $SMCU_MODDIR/smc_ulp_bpf.ko
END
check "install" make -s --no-print-directory -C "$SMCU_TREE/loader" install
mkdir -p /etc/smc-ulp $APPS /run/systemd/system/$UNIT.service.d
policy() { printf 'version: 1\ndefault: %s\nrules: []\n' "$1" >"$POLICY.new" && mv "$POLICY.new" "$POLICY"; }
policy smc
check "a glob below the mount is told from one of cgroups" \
	sh -c "$LOADER daemon --cgroups $APPS 2>&1 | grep -q \"did you mean '/apps'\""
echo "SMC_ULP_OPTIONS=--cgroups /apps" >/etc/default/smc-ulp-loader
# Of this machine's own units none: it is not their system.
printf '[Unit]\nDescription=nothing\n' >/run/systemd/system/nothing.target
printf '[Unit]\nDefaultDependencies=no\n[Service]\nStandardError=append:/run/unit.log\n' >/run/systemd/system/$UNIT.service.d/here.conf

# As process 1 of a namespace of its own.
unshare -pfm --mount-proc env container=other /lib/systemd/systemd --unit=nothing.target --log-target=null &
INIT=
init_is_up() {
	INIT=$(pgrep -f '^/lib/systemd/systemd --unit=nothing') && control is-system-running 2>/dev/null | grep -q .
}
control() { nsenter -t "$INIT" -m -p systemctl "$@"; }
if wait_for 60 init_is_up; then pass "systemd is up"; else fail "systemd is up"; fi

decides() { [ "$($LOADER policy show | awk '$1 == "default:" { print $2 }')" = "$1" ]; }
attached() { $LOADER -j status | grep -q '"[^"]*/apps"'; }
daemon_pid() { control show -P MainPID $UNIT; }
was_killed() { control is-active -q $UNIT && [ "$(daemon_pid)" != "$1" ]; }
moved() {
	local before
	before=$(stat_of smc_client)
	bash -c "echo 0 >$APPS/cgroup.procs && exec python3 -c '
import socket
with socket.socket() as listener:
    listener.bind((\"$LO_ADDR\", 0))
    listener.listen()
    with socket.create_connection(listener.getsockname()) as client, listener.accept()[0] as server:
        client.sendall(b\"x\")
        assert server.recv(1) == b\"x\"'" && [ $(($(stat_of smc_client) - before)) = "$1" ]
}

if ! control start $UNIT; then
	fail "start" "$(cat /run/unit.log)"
else
	pass "start: it says that it is ready"
fi
check "it has loaded the modules" [ -e /sys/module/smc_ulp_bpf ]
check "three capabilities and no more" grep -q '^CapBnd:.*000000c000001000$' "/proc/$(pgrep -f "^$LOADER daemon")/status"
check "the cgroup is attached" wait_for 30 attached
check "connections in it are moved" moved 1
policy tcp
check "reload" control reload $UNIT
check "the new policy is in force" wait_for 30 decides tcp
check "connections are not moved any more" moved 0
policy smc
check "a file that is replaced is noticed" wait_for 30 decides smc
main=$(daemon_pid)
control kill --signal=KILL $UNIT
check "killed: it is started again" wait_for 60 was_killed "$main"
check "and decided meanwhile" moved 1
check "stop" control stop $UNIT
check "what is attached stays" moved 1
check "nothing was complained about" sh -c '! grep -i error /run/unit.log'
check "detach" $LOADER -q detach --all
check "modules unload" smcu_unload

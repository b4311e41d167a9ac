# SPDX-License-Identifier: GPL-2.0 OR LGPL-2.1
# What the command line promises where nothing is attached and nobody is root: streams, exit codes, forms. tests/loader/run has the rest.

setup() {
	LOADER=$BATS_TEST_DIRNAME/../../build/loader/smc-ulp-loader
	TOP=$BATS_TEST_DIRNAME/../..
	cd "$BATS_TEST_TMPDIR"
}

# The shell forgives a command behind "!", so bats would too.
refuse() { if "$@"; then return 1; fi; }

# streams COMMAND...: output and status as run has them, stderr apart.
streams() {
	status=0
	"$@" >out 2>err </dev/null || status=$?
}

# Status 2, and a reason on stderr alone.
wrong_usage() {
	streams "$LOADER" "$@"
	echo "'$*': $status, $(cat err)"
	[ "$status" = 2 ] && [ ! -s out ] && [ -s err ]
}

@test "help and version go to stdout, with status 0" {
	for args in help --help -h version --version -V "help attach" "attach --help" "help policy" "hook oci --help"; do
		streams "$LOADER" $args
		[ "$status" = 0 ]
		[ -s out ]
		[ ! -s err ]
	done
}

@test "wrong usage goes to stderr, with status 2" {
	for args in "" nonsense "attach" "attach --all --cgroup /x" "detach" "--nonsense" "status extra" "policy" "policy nonsense" \
		"policy check" "run" "hook oci" "hook install" "hook install --runtime docker" "monitor --count 0" "monitor --count x" \
		"help nonsense" "daemon --cgroups relative" "daemon --cgroups /a/**/b" "--color maybe version" "completion"; do
		wrong_usage $args
	done
}

@test "a long option is written out" {
	for args in "version --cgroup x" "version --cgroup=x" "policy check --cgroup /nope $TOP/examples/policies/off.yaml" \
		"policy check $TOP/examples/policies/off.yaml --cgroup /nope" "--cgroup /x version" "run --cgroup /x true"; do
		wrong_usage $args
		grep -q "no option '--cgroup' here: did you mean '--cgroup-root'?" err
	done
	for args in "version --jso" "--verb version" "version --hel" "attach --dry --all"; do
		streams "$LOADER" $args
		[ "$status" = 2 ]
		grep -q "did you mean '--" err
	done
	for args in "version --json" "version --cgroup-root /x" "version --cgroup-root=/x" "version --cgroup-root --json" "--json version"; do
		streams "$LOADER" $args
		[ "$status" = 0 ]
	done
}

@test "after half a command: which words may follow" {
	for args in policy "policy bogus" "policy --json"; do
		streams "$LOADER" $args
		[ "$status" = 2 ]
		[ ! -s out ]
		grep -q "'policy.* one of check, load, show, diff, rollback, off, on$" err
	done
	for args in completion "completion zsh"; do
		streams "$LOADER" $args
		[ "$status" = 2 ]
		grep -q "one of bash$" err
	done
	streams "$LOADER" poli check
	grep -q "there is no command 'poli'$" err
}

@test "--output is for commands that print a table" {
	for args in "-o foo version" "--output=foo version" "version -o foo" "-o foo policy check $TOP/examples/policies/off.yaml" "-o rule -j help"; do
		wrong_usage $args
	done
	for args in "-o feature features" "features -o feature" "features --output feature"; do
		streams "$LOADER" $args
		[ "$(head -n 1 out)" = FEATURE ]
	done
}

@test "help of two words is that command's alone" {
	run "$LOADER" help policy check
	[ "$status" = 0 ]
	[ "${lines[0]}" = "usage: smc-ulp-loader policy check FILE" ]
	run "$LOADER" help policy
	[ "$(grep -c '^usage:' <<<"$output")" -gt 3 ]
}

@test "an invalid policy is status 5, a missing file 1, a valid one 0" {
	printf 'version: 1\ndefault: smcc\n' >bad.yaml
	streams "$LOADER" policy check bad.yaml
	[ "$status" = 5 ]
	[ ! -s out ]
	grep -q 'bad.yaml:2:10: error' err
	streams "$LOADER" policy check missing.yaml
	[ "$status" = 1 ]
	streams "$LOADER" policy check "$TOP/examples/policies/off.yaml"
	[ "$status" = 0 ]
	[ -s out ]
	streams "$LOADER" run --policy bad.yaml true
	[ "$status" = 5 ]
}

@test "netns is a network namespace, and no other file" {
	echo >file
	mkfifo fifo
	for netns in "$PWD/file" "$PWD/fifo" "$PWD" /proc/self/ns/mnt /etc/passwd; do
		printf 'version: 1\nrules:\n  - { name: a, match: { netns: %s }, action: smc }\n' "$netns" >policy.yaml
		streams timeout 20 "$LOADER" policy check policy.yaml
		echo "$netns: $status"
		[ "$status" = 5 ]
		grep -q "there is no network namespace" err
		streams timeout 20 "$LOADER" explain --policy "$TOP/examples/policies/off.yaml" --netns "$netns"
		[ "$status" = 2 ]
	done
	printf 'version: 1\nrules:\n  - { name: a, match: { netns: /proc/self/ns/net }, action: smc }\n' >policy.yaml
	"$LOADER" policy check policy.yaml
	"$LOADER" -q explain --policy policy.yaml --netns /proc/self/ns/net | grep -q '^a: smc'
}

@test "colours: where asked for, and never by NO_COLOR or into a file" {
	streams "$LOADER" nonsense
	refuse grep -q $'\033' err
	streams "$LOADER" --color always nonsense
	grep -q $'\033' err
	streams script -qec "$LOADER nonsense" /dev/null
	grep -q $'\033' out
	streams env NO_COLOR=1 script -qec "$LOADER nonsense" /dev/null
	refuse grep -q $'\033' out
}

@test "-j is JSON, on stdout alone" {
	for args in version "policy check $TOP/examples/policies/off.yaml" features "explain --policy $TOP/examples/policies/off.yaml --dst 10.0.0.1"; do
		streams "$LOADER" -j $args
		python3 -m json.tool out >/dev/null
	done
}

@test "explain: a slash too many in a cgroup's path changes nothing" {
	printf 'version: 1\nrules:\n  - { name: ss, match: { cgroup: "/system.slice" }, action: smc }\n' >policy.yaml
	mkdir -p root/system.slice
	for root in "$PWD/root" "$PWD/root/" "$PWD//root//"; do
		for cgroup in /system.slice /system.slice/ //system.slice// "$PWD/root/system.slice" "$PWD/root//system.slice/"; do
			streams "$LOADER" -q -R "$root" explain --policy policy.yaml --cgroup "$cgroup"
			echo "$root $cgroup: $status, $(cat out err)"
			[ "$status" = 0 ]
			[ "$(cat out)" = "ss: smc" ]
		done
		streams "$LOADER" -q -R "$root" -j explain --policy policy.yaml --cgroup "$root"
		grep -q '"rule": "default"' out
	done
}

@test "policy check -j: what is wrong is JSON as well" {
	printf 'version: 1\nrules:\n  - { name: a, match: { prt: 80 }, action: smc }\n  - { name: b, match: { port: x }, action: smc }\n' >bad.yaml
	printf 'version: 1\nrules:\n  - { name: a, match: {}, action: smc }\n  - { name: b, match: {}, action: tcp }\n' >warned.yaml
	streams "$LOADER" -j policy check bad.yaml
	[ "$status" = 5 ]
	grep -q "^bad.yaml:3:25: error: unknown key 'prt'" err
	python3 - out <<-'END'
		import json, sys
		out = json.load(open(sys.argv[1]))
		assert out["valid"] is False and (out["errors"], out["warnings"]) == (2, 0), out
		first, second = out["diagnostics"]
		assert first == {"file": "bad.yaml", "line": 3, "column": 25, "severity": "error", "suggestion": "port",
		                 "message": "unknown key 'prt': did you mean 'port'?"}, first
		assert second["line"] == 4 and second["suggestion"] is None and "is not a port" in second["message"], second
	END
	streams "$LOADER" -j policy check warned.yaml
	[ "$status" = 0 ]
	python3 - out <<-'END'
		import json, sys
		out = json.load(open(sys.argv[1]))
		assert out["valid"] is True and out["rules"] == 2 and out["bytes"] and (out["errors"], out["warnings"]) == (0, 1), out
		assert [d["severity"] for d in out["diagnostics"]] == ["warning"], out
	END
	# A message that is cut in the middle of a letter, and a name that is no text.
	name=$(printf 'b\xffd.yaml')
	printf 'version: 1\ndefault: %063d\303\244\n' 0 >"$name"
	streams "$LOADER" -j policy check "$name"
	[ "$status" = 5 ]
	grep -q '"file": "b\\\\xffd.yaml"' out
	python3 -m json.tool out >/dev/null
	streams "$LOADER" -j policy check missing.yaml
	[ "$status" = 1 ]
	[ ! -s out ]
}

@test "hook install -j: one document with every file" {
	echo '{"ociVersion": "1.0.2"}' >base.json
	for args in "podman 2" "crio 2" "containerd 1 --base base.json"; do
		set -- $args
		streams "$LOADER" -j hook install --dry-run --runtime "$1" "${@:3}"
		[ "$status" = 0 ]
		python3 - out "$2" <<-'END'
			import json, sys
			out = json.load(open(sys.argv[1]))
			assert out["dry_run"] is True and len(out["files"]) == int(sys.argv[2]), out
			assert all(f["path"].endswith(".json") and isinstance(f["content"], dict) for f in out["files"]), out
		END
	done
}

@test "output that is lost is a failure, and said once" {
	for args in help version "-j version" "policy check $TOP/examples/policies/off.yaml" "-j policy check $TOP/examples/policies/off.yaml" \
		"explain --policy $TOP/examples/policies/off.yaml" "completion bash" features "hook install --runtime crio --dry-run"; do
		status=0
		"$LOADER" $args 2>err >/dev/full || status=$?
		echo "$args: $status, $(cat err)"
		[ "$status" = 1 ] || [[ "$args $status" = "features "[34] ]]
		[ "$(grep -c 'standard output' err)" = 1 ]
	done
}

@test "attach: what is no cgroup v2 is told where those are" {
	mkdir -p v1 v2
	streams "$LOADER" -R "$PWD/v2" attach --dry-run --cgroup "$PWD/v1"
	[ "$status" = 1 ]
	grep -q "'$PWD/v1' is not a cgroup v2 directory, .* mounted at $PWD/v2$" err
}

@test "explain: a comm that the kernel would cut is refused" {
	streams "$LOADER" explain --policy "$TOP/examples/policies/off.yaml" --comm abcdefghijklmnop
	[ "$status" = 2 ]
	[ ! -s out ]
	grep -q "the kernel keeps 15 characters: did you mean 'abcdefghijklmno'?" err
	printf 'version: 1\nrules:\n  - { name: a, match: { comm: abcdefghijklmno }, action: smc }\n' >policy.yaml
	streams "$LOADER" explain --policy policy.yaml --comm abcdefghijklmno
	[ "$(cat out)" = "a: smc" ]
}

@test "explain: a process that is not there is said to be so" {
	printf 'version: 1\nrules:\n  - { name: a, match: { pid: 4194000 }, action: smc }\n' >policy.yaml
	streams "$LOADER" explain --policy policy.yaml --pid 4194000
	[ "$status" = 0 ]
	grep -q "there is no process 4194000" err
	[ "$(cat out)" = "a: smc" ]
	streams "$LOADER" explain --policy policy.yaml --pid $$
	[ ! -s err ]
}

@test "completion is bash, and knows every command" {
	"$LOADER" completion bash >completion
	bash -n completion
	. ./completion
	for word in $("$LOADER" help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\).*/\1/p' | sort -u); do
		COMP_WORDS=(smc-ulp-loader "$word") COMP_CWORD=1
		_smc_ulp_loader
		[[ " ${COMPREPLY[*]} " == *" $word "* ]]
	done
	COMP_WORDS=(smc-ulp-loader --color "") COMP_CWORD=2
	_smc_ulp_loader
	[ "${COMPREPLY[*]}" = "auto always never" ]
}

@test "a closed pipe ends it quietly" {
	run bash -c "'$LOADER' help | head -n 1"
	[ "$status" = 0 ]
	[ "${#lines[@]}" = 1 ]
}

@test "hook install: files of oci-hooks for podman and CRI-O" {
	for runtime in podman crio; do
		streams "$LOADER" hook install --runtime $runtime --dry-run
		[ "$status" = 0 ]
		grep -q /usr/share/containers/oci/hooks.d/smc-ulp-createRuntime.json err
		python3 - out <<-'END'
			import json, re, sys
			text, files = open(sys.argv[1]).read(), []
			while text.strip():
			    one, end = json.JSONDecoder().raw_decode(text)
			    files, text = files + [one], text[end:].lstrip()
			assert [f["stages"] for f in files] == [["createRuntime"], ["poststop"]], files
			for f in files:
			    assert f["version"] == "1.0.0" and f["hook"]["path"].startswith("/"), f
			    assert f["hook"]["args"][1:] == ["hook", "oci", *f["stages"]], f
			    (key, value), = f["when"]["annotations"].items()
			    assert re.search(key, "io.smc-ulp/enable") and not re.search(key, "io-smc-ulp/enable"), f
			    assert re.search(value, "true") and re.search(value, "1") and not re.search(value, "untrue"), f
		END
	done
}

@test "hook install: containerd's spec keeps what it had, once" {
	echo '{"ociVersion": "1.0.2", "process": {"cwd": "/"}, "hooks": {"poststop": [{"path": "/other"}]}}' >base.json
	for base in base.json again.json; do
		streams "$LOADER" hook install --runtime containerd --base $base --dry-run
		[ "$status" = 0 ]
		cp out again.json
	done
	grep -q base_runtime_spec err
	python3 - out <<-'END'
		import json, sys
		spec = json.load(open(sys.argv[1]))
		assert spec["process"] == {"cwd": "/"}, spec
		assert [h["path"] for h in spec["hooks"]["poststop"]][0] == "/other" and len(spec["hooks"]["poststop"]) == 2, spec
		assert len(spec["hooks"]["createRuntime"]) == 1, spec
	END
	echo '{}' >base.json
	streams "$LOADER" hook install --runtime containerd --base base.json --dry-run
	[ "$status" = 1 ]
	[ ! -s out ]
	streams "$LOADER" hook install --runtime containerd --dry-run
	[ "$status" = 2 ]
	streams "$LOADER" hook install --runtime containerd --base /nonexistent --dry-run
	[ "$status" = 1 ]
	[ "$(cat err)" = "smc-ulp-loader: error: unable to open /nonexistent: No such file or directory" ]
	echo '{"ociVersion": }' >base.json
	streams "$LOADER" hook install --runtime containerd --base base.json --dry-run
	[ "$status" = 1 ]
	grep -q 'error: base.json:1:16: ' err
}

@test "hook oci: garbage is no reason to stop a container, unless asked for" {
	for text in '' '{' '7' '{"id": 7}' '{"id": "a", "pid": -1}'; do
		for stage in createRuntime poststop nonsense; do
			run "$LOADER" --bpffs /nonexistent hook oci $stage <<<"$text"
			[ "$status" = 0 ]
			run "$LOADER" --bpffs /nonexistent hook oci --fail-closed $stage <<<"$text"
			[ "$status" = 1 ]
		done
	done
	run "$LOADER" --bpffs /nonexistent hook oci --fail-closed createRuntime <<<'{"id": "a", "pid": 1}'
	[ "$status" = 0 ] # it asked for nothing
}

@test "hook oci: a runtime that does not close stdin is not waited for" {
	mkfifo pipe
	sleep 1000 >pipe & # holds it open
	run timeout 60 "$LOADER" hook oci createRuntime <pipe
	kill $!
	[ "$status" = 0 ]
	[[ "$output" == *"no answer within 2 seconds"* ]]
}

@test "hook oci: a runtime that ignores SIGCHLD is no reason to fail" {
	run env --ignore-signal=CHLD "$LOADER" --bpffs /nonexistent hook oci --fail-closed createRuntime <<<'{"id": "a", "pid": 1}'
	[ "$status" = 0 ]
	[ -z "$output" ]
}

@test "man pages pass mandoc" {
	for page in "$TOP"/build/loader/*.[578]; do
		# scdoc itself leaves empty paragraphs, and lines longer than 80 bytes.
		mandoc -Tlint -Wwarning "$page" >lint || true
		refuse grep -v 'skipping paragraph macro' lint
	done
}

@test "smc-ulp(7) has every setting, column, counter and reason" {
	python3 - "$TOP" <<-'END'
		import re, sys
		def read(name):
		    return open(f"{sys.argv[1]}/{name}").read()
		def section(title):
		    return page.split(f"# {title}\n")[1].split("\n# ")[0]
		def terms(text):
		    return [t for line in re.findall(r"^\*.*\*$", text, re.M) for t in re.findall(r"\*(\w+)\*", line)]
		def columns(name):
		    return re.search(r'seq_puts\(m, "(\w+ [\w ]+)\\n"', read(name))[1].split()
		page = read("docs/man/smc-ulp.7.scd")
		settings = re.findall(r'\.procname = "(\w+)"', read("kmod/ctl/sysctl.c"))
		assert settings and terms(section("SETTINGS")) == settings, (terms(section("SETTINGS")), settings)
		shown = columns("kmod/ulp/show.c") + columns("kmod/link/lgr.c")
		assert terms(section("SOCKETS AND LINKS")) == shown, (terms(section("SOCKETS AND LINKS")), shown)
		rows = re.findall(r'^\tX\((\w+), "(.*?)"\)', read("kmod/base/base.h"), re.M)
		rows.append(("handshakes_now", "handshakes that run now"))
		rows += [(n.lower(), t) for n, t in re.findall(r'^\tX\((\w+),\s*0x\w+, "(.*?)"\)', read("kmod/proto/reason.h"), re.M)]
		there = re.findall(r"^\*(\w+)\*\n\t(.*)$", section("COUNTERS"), re.M)
		assert len(rows) > 40 and there == rows, set(there) ^ set(rows) or "the order differs"
	END
}

@test "headers: every function, argument and member is described" {
	cd "$TOP"
	python3 - policy/smcpol.h policy/ast.h loader/loader.h loader/oci.h include/uapi/smc_ulp_policy.h <<-'END'
		import re, sys
		faults = []
		for name in sys.argv[1:]:
		    text = open(name).read()
		    # What is described, by what follows the block; other comments are blanked out.
		    items = re.findall(r"(/\*\*\n(?:(?!\*/).)*\*/\n)?^((?:struct|union) \w+ \{\n.*?\n\}|\w[^\n;{}()=]*\b\w+\([^;{}]*;)",
		                       re.sub(r"/\*[^*](?:(?!\*/).)*\*/", "", re.sub(r"^(#|SMCU_POLICY_ASSERT|typedef).*$", "", text, flags=re.M), flags=re.S),
		                       re.S | re.M)
		    for block, code in items:
		        if "{" in code:
		            what = code.split(" {")[0]
		            names = re.findall(r"(\w+)(?:\)\([^;]*|\[[^\]]*\])*;", code)
		        else:
		            code = re.sub(r"__attribute__.*", ";", code, flags=re.S)
		            what = re.search(r"(\w+)\(", code)[1] + "()"
		            arguments = code[code.index("(") + 1:code.rindex(")")]
		            names = [re.search(r"(\w+)(?:\[.*\])?$", a.strip())[1] for a in arguments.split(",") if a.strip() not in ("void", "...")]
		            if not code.startswith("void ") and "Return:" not in block:
		                faults.append(f"{name}: {what}: what it returns")
		        if f" {what} - " not in block:
		            faults.append(f"{name}: {what}")
		        faults += [f"{name}: {what}: {n}" for n in names if f" @{n}: " not in block]
		    assert len(items) > 1, name
		    print(name, len(items))
		assert not faults, "\n".join(faults)
	END
}

@test "the unit passes systemd-analyze" {
	mkdir unit
	sed "s|/usr/sbin/smc-ulp-loader|$LOADER|" "$TOP/loader/systemd/smc-ulp-loader.service" >unit/smc-ulp-loader.service
	systemd-analyze verify --man=no unit/smc-ulp-loader.service
	systemd-analyze security --offline=true --threshold=25 unit/smc-ulp-loader.service >security
}

@test "what is installed: the daemon's options, which stay the administrator's" {
	make -s --no-print-directory -C "$TOP/loader" install DESTDIR="$PWD/root"
	for file in usr/sbin/smc-ulp-loader lib/systemd/system/smc-ulp-loader.service usr/share/man/man8/smc-ulp-loader.8; do
		[ -s "root/$file" ]
	done
	options=root/etc/default/smc-ulp-loader
	grep -qx '#SMC_ULP_OPTIONS="--cgroups /system.slice"' $options
	refuse grep -v '^#' $options # it sets nothing
	grep -qx "EnvironmentFile=-/${options#root/}" root/lib/systemd/system/smc-ulp-loader.service
	echo 'SMC_ULP_OPTIONS="--listen none"' >$options
	make -s --no-print-directory -C "$TOP/loader" install DESTDIR="$PWD/root"
	[ "$(cat $options)" = 'SMC_ULP_OPTIONS="--listen none"' ]
	grep -q "SMC_ULP_OPTIONS.* /etc/default/smc-ulp-loader" <(mandoc -Tascii root/usr/share/man/man8/smc-ulp-loader.8 | col -b | tr -s '\n ' ' ')
}

@test "the package has every example" {
	cd "$TOP"
	shipped=$(ls -d $(cat debian/smc-ulp-tools.examples))
	for directory in examples/*; do
		grep -qx "$directory" <<<"$shipped"
	done
}

@test "the unit and the drop-in ask for both modules" {
	for file in "$TOP/loader/systemd/smc-ulp-loader.service" "$TOP/examples/systemd/redis-server.service.d/smc.conf"; do
		for key in Wants After; do
			for module in smc_ulp smc_ulp_bpf; do
				grep -E "^$key=(.* )?modprobe@$module\.service( |$)" "$file"
			done
		done
	done
}

@test "the drop-in for one service passes systemd-analyze" {
	mkdir unit
	printf '[Service]\nExecStart=/bin/true\n' >unit/redis-server.service
	cp -r "$TOP/examples/systemd/redis-server.service.d" unit/
	sed -i "s|/usr/sbin/smc-ulp-loader|$LOADER|" unit/redis-server.service.d/smc.conf
	SYSTEMD_UNIT_PATH=$PWD/unit: systemd-analyze verify --man=no unit/redis-server.service >said 2>&1
	[ ! -s said ]
	sed -i 's/ExecStartPre/ExecStartPrae/' unit/redis-server.service.d/smc.conf
	SYSTEMD_UNIT_PATH=$PWD/unit: systemd-analyze verify --man=no unit/redis-server.service >said 2>&1 || true
	[ -s said ]
}

@test "the Kubernetes example is what the API takes" {
	/usr/bin/python3 "$TOP/examples/kubernetes/validate" "$TOP/examples/kubernetes/smc-ulp.yaml"
	# The checker itself notices faults.
	for fault in 's/maxUnavailable/maxUnavailible/' 's/mountPath:/mountpath:/' 's/containerPort: 9780/containerPort: many/' \
		's/^kind: DaemonSet/kind: DaemonSets/' 's/name: smc-ulp-policy }/name: other }/' 's/default: tcp/default: tpc/' \
		'/^  selector:/,+1d'; do
		sed "$fault" "$TOP/examples/kubernetes/smc-ulp.yaml" >fault.yaml
		refuse cmp -s fault.yaml "$TOP/examples/kubernetes/smc-ulp.yaml"
		refuse /usr/bin/python3 "$TOP/examples/kubernetes/validate" fault.yaml
	done
}

#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What `make install` puts where, and the unit that it installs: the agent is where the unit says, and can do
# all of its work with the unit's capabilities and no others.

cd "$(dirname "$0")/../.." || exit 2
# shellcheck source-path=SCRIPTDIR source=lab.sh
. tests/net/lab.sh
# shellcheck source-path=SCRIPTDIR source=agent.sh
. tests/net/agent.sh
# shellcheck source-path=SCRIPTDIR source=models.sh
. tests/net/models.sh

agent_tools make setpriv bpftool sha256sum || skip_all "tools are missing"
agent_lab install || exit

# --- where everything goes -----------------------------------------------------------------------

# installs PREFIX: nothing is built again for it, so the programs look for data where they were built to.
installs() {
	dest=$LAB_TMP/dest$1 unit=$dest$1/lib/systemd/system/sentroidd.service
	make -o all install OBJ="${BUILD_DIR:-build}" DESTDIR="$dest" PREFIX="$1" >"$LAB_TMP/log/make" 2>&1 &&
		[ -x "$dest$1/bin/sentroid" ] && [ -f "$dest$1/share/sentroid/default.json" ]
}
setting() { sed -n "s/^$1=//p" "$unit"; }
agent_of_unit() { setting ExecStart | cut -d ' ' -f 1; }
for prefix in /usr/local /usr /opt/sen; do
	installs "$prefix"
	check "make install PREFIX=$prefix" cat "$LAB_TMP/log/make"
	[ -x "$dest$(agent_of_unit)" ]
	check "... where the unit starts what is there" setting ExecStart
done
[ -f "$dest/etc/sentroid/sentroid.conf" ]
check "the configuration is in /etc"
[ -f "$dest/etc/logrotate.d/sentroid" ]
check "... and so is what rotates the alerts"

# In its staged place the agent can be found on this host.
sed "s|^ExecStart=|&$dest|" "$unit" >"$LAB_TMP/sentroidd.service"
if lab_have systemd-analyze; then
	systemd-analyze verify "$LAB_TMP/sentroidd.service" >"$LAB_TMP/log/verify" 2>&1
	check "systemd finds nothing wrong with the unit" cat "$LAB_TMP/log/verify"
fi

# --- with the capabilities of the unit -----------------------------------------------------------

# CAP_BPF CAP_SYS_ADMIN as +bpf,+sys_admin. Root has what is in the bounding set.
capabilities() { setting CapabilityBoundingSet | tr 'A-Z ' 'a-z,' | sed 's/cap_/+/g'; }
SENTROIDD=$LAB_TMP/confined/sentroidd
mkdir "${SENTROIDD%/*}"
cat >"$SENTROIDD" <<-SCRIPT
	#!/bin/sh
	exec setpriv --no-new-privs --bounding-set=-all,$(capabilities) --inh-caps=-all $dest$(agent_of_unit) "\$@"
SCRIPT
chmod 755 "$SENTROIDD"
# The shipped model is not where the build expects it, but beside the program it is found.
ln -s "$PWD/models" "$dest$prefix/models"

# Events are read for the first time a moment after the start.
ready() {
	for _ in {1..50}; do
		agent_get /readyz >/dev/null && return
		sleep 0.1
	done
	return 1
}
agent_start '[baseline]' 'seconds = 600' && ready
check "the agent attaches with the capabilities of its unit" agent_log
program=$(status .prog_id)

# Of the snippet, for this agent only.
journal=$LAB_TMP/state/$LAB_IF/alerts.jsonl
rotates() {
	sed "s|/var/lib/sentroid|$LAB_TMP/state|; s|pkill.*|kill -HUP $AGENT_PID|" "$dest/etc/logrotate.d/sentroid" \
		>"$LAB_TMP/logrotate"
	if lab_have logrotate; then
		logrotate -f -s "$LAB_TMP/rotated" "$LAB_TMP/logrotate"
	else
		mv "$journal" "$journal.1" && sh -c "$(sed -n '/postrotate/,/endscript/{//!p}' "$LAB_TMP/logrotate")"
	fi
}
# It was begun by the agent, and so is the next one.
begun_by_agent() {
	for _ in {1..50}; do
		[ "$(readlink "/proc/$AGENT_PID/fd/"* | grep alerts.jsonl)" = "$journal" ] && return
		sleep 0.1
	done
	return 1
}
echo >>"$journal"
rotates >"$LAB_TMP/log/rotate" 2>&1 && begun_by_agent && [ -f "$journal.1" ] && [ ! -s "$journal" ]
check "alerts are rotated, and the agent goes on in a new file" cat "$LAB_TMP/log/rotate"
agent_stop TERM
in_srv "$SENTROID" model push "$LAB_IF" models/default.json --state-dir "$LAB_TMP/state" >/dev/null
agent_start && ready && [ "$(status .prog_id)" = "$program" ]
check "... takes over what is attached, reading the model in force" agent_log
agent_stop TERM
in_srv "$SENTROID" detach "$LAB_IF" >/dev/null && [ ! -e "$SENTROID_BPFFS" ]
check "... and leaves it so that it can be taken off" ls -R "$SENTROID_BPFFS"

# --- the shipped model ---------------------------------------------------------------------------

# It is looked up beside the executable's folder; an installed one may come later.
mkdir "$LAB_TMP/bin" "$LAB_TMP/models"
install -m 755 "$SENTROID" "$LAB_TMP/bin/sentroid"
model 3 >"$LAB_TMP/models/default.json"
in_srv "$LAB_TMP/bin/sentroid" attach "$LAB_IF" >"$LAB_TMP/log/attach" 2>&1
[ "$(status .model.digest)" = "$(digest_of "$LAB_TMP/models/default.json")" ]
check "attach without --model takes the shipped one" cat "$LAB_TMP/log/attach"
in_srv "$SENTROID" detach "$LAB_IF" >/dev/null
check_done

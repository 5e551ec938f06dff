#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The HTTP interface as monitoring sees it: a real Prometheus scrapes it, promtool finds nothing to
# say about it, the health pages tell the truth, a port in use is told in one line.

cd "$(dirname "$0")/../.." || exit 2
# shellcheck source-path=SCRIPTDIR source=lab.sh
. tests/net/lab.sh
# shellcheck source-path=SCRIPTDIR source=agent.sh
. tests/net/agent.sh

PROMETHEUS=127.0.0.1:9090 # inside the namespace

agent_tools prometheus promtool nmap || skip_all "tools are missing"
agent_lab metrics || exit
lab_servers_up

in_srv "$SENTROID" attach "$LAB_IF" >/dev/null
agent_start '[alerts]' 'idle = 600' || give_up "the agent starts"
in_cli ping -q -c 3 -i 0.1 -W 1 "$LAB_SRV4" >/dev/null
attack_portscan 1-1000
sleep 1

# --- the page ------------------------------------------------------------------------------------

# page PATH [OPTION...]: headers and body.
page() { in_srv curl -si --max-time 3 "${@:2}" "http://127.0.0.1:$AGENT_PORT$1" | tr -d '\r'; }
metrics=$(agent_get /metrics)
problems=$(promtool check metrics <<<"$metrics" 2>&1) && [ -z "$problems" ]
check "promtool check metrics finds nothing" echo "$problems"
[ "$(grep -c '^sentroid_' <<<"$metrics")" -ge 40 ]
check "there are many of them" echo "$metrics"
[[ $(page /metrics) == "HTTP/1.1 200"*$'\n'"Content-Type: text/plain; version=0.0.4"* ]]
check "they are in Prometheus' text format" page /metrics -I
# value NAME: of a series of the page, by its name and labels.
value() { awk -v name="$1" 'index($0, name " ") == 1 { print $NF }' <<<"$metrics"; }
[ "$(value "sentroid_alerts_total{interface=\"$LAB_IF\",class=\"scan\"}")" = 1 ] && [ "$(value "sentroid_alerts_open{interface=\"$LAB_IF\"}")" -ge 1 ]
check "the scan is among the alerts" grep sentroid_alerts <<<"$metrics"
[ "$(value "sentroid_packets_total{interface=\"$LAB_IF\"}")" -ge 1000 ]
check "packets are counted" grep sentroid_packets <<<"$metrics"
[[ $metrics == *"sentroid_model_info{"*"$(status .model.digest)"* ]]
check "the model in force is told by its digest" grep sentroid_model <<<"$metrics"
in_srv "$SENTROID" policy "$LAB_IF" enforce-learned >/dev/null
[ "$(agent_get /metrics | grep -c "^sentroid_policy_info{interface=\"$LAB_IF\",policy=\"enforce-learned\"} 1$")" = 1 ] &&
	[ "$(agent_says .policy)" = enforce-learned ]
check "and so is the policy, as it is changed" api status
in_srv "$SENTROID" policy "$LAB_IF" alert >/dev/null

rules=packaging/prometheus.rules.yml
problems=$(promtool check rules "$rules" 2>&1)
check "the alerting rules are sound" echo "$problems"
mapfile -t asked_for < <(grep -o 'sentroid_[a-z_]*' "$rules" | sort -u)
missing=$(for name in "${asked_for[@]}"; do grep -q "^${name}[{ ]" <<<"$metrics" || echo "$name"; done)
[ "${#asked_for[@]}" -ge 8 ] && [ -z "$missing" ]
check "... and ask for nothing that is not there" echo "$missing"
missing=$(awk '$1 == "#" && $2 == "TYPE" { print "| `" $3 "` | " $4 " |" }' <<<"$metrics" | while read -r entry; do
	grep -qF "$entry" docs/api.md || echo "$entry"
done)
[ -z "$missing" ]
check "... which docs/api.md lists all" echo "$missing"
mapfile -t fields < <(jq -r '[(., .interfaces[0], .interfaces[0].learner, .interfaces[0].learner.drift.score | keys),
	(input.alerts[0] | keys)] | flatten | unique[]' <(api status) <(api alerts))
missing=$(for field in "${fields[@]}"; do grep -q "\`${field}[.\`]" docs/api.md || echo "$field"; done)
[ "${#fields[@]}" -ge 60 ] && [ -z "$missing" ]
check "... with all fields of status and alerts" echo "${#fields[@]} fields, not listed: $missing"

# --- health --------------------------------------------------------------------------------------

[[ $(page /healthz) == "HTTP/1.1 200"*$'\n'"ok" ]]
check "/healthz" page /healthz
[[ $(page /readyz) == "HTTP/1.1 200"*$'\n'"ready" ]]
check "/readyz" page /readyz
[[ $(page /nothing) == "HTTP/1.1 404"* && $(page /metrics -X DELETE) == "HTTP/1.1 405"* ]]
check "what is not there is not found, nothing can be deleted" page /nothing

# --- Prometheus ----------------------------------------------------------------------------------

cat >"$LAB_TMP/prometheus.yml" <<CONF
global:
  scrape_interval: 1s
  scrape_timeout: 1s
  evaluation_interval: 1s
rule_files: ["$PWD/$rules"]
scrape_configs:
  - job_name: sentroid
    static_configs:
      - targets: ["127.0.0.1:$AGENT_PORT"]
CONF
in_srv_bg "$(command -v prometheus)" --config.file="$LAB_TMP/prometheus.yml" --storage.tsdb.path="$LAB_TMP/prometheus" \
	--web.listen-address="$PROMETHEUS"
prometheus=$LAB_PID

# ask QUERY: the value of its only series.
ask() {
	in_srv curl -sf --max-time 3 -G --data-urlencode "query=$1" "http://$PROMETHEUS/api/v1/query" |
		jq -r '.data.result | if length == 1 then .[0].value[1] else "\(length) series" end'
}
# asked QUERY VALUE: within some seconds.
asked() {
	local end=$((SECONDS + 20))
	until [ "$(ask "$1")" = "$2" ]; do
		kill -0 "$prometheus" 2>/dev/null && ((SECONDS < end)) || return 1
		sleep 0.2
	done
}
asked 'up{job="sentroid"}' 1
check "Prometheus scrapes it" cat "$LAB_TMP/log/prometheus.log"
asked "sentroid_alerts_total{interface=\"$LAB_IF\",class=\"scan\"}" 1
check "... and knows the alert" ask sentroid_alerts_total
asked "ALERTS{alertname=\"SentroidAlertsOpen\",alertstate=\"firing\",interface=\"$LAB_IF\"}" 1 && [ "$(ask 'count(ALERTS)')" = 1 ]
check "... and raises an alert of its own, by the rules that are shipped" ask ALERTS
packets=$(ask "sentroid_packets_total{interface=\"$LAB_IF\"}")
in_cli ping -q -c 20 -i 0.01 -W 1 "$LAB_SRV4" >/dev/null
asked "sentroid_packets_total{interface=\"$LAB_IF\"} >= bool $((${packets%%[!0-9]*} + 20))" 1
check "... and sees packets go up" ask sentroid_packets_total
asked 'count(up == 1) and on() (scrape_samples_scraped{job="sentroid"} > 40)' 1
check "... and takes every sample" ask 'scrape_samples_scraped{job="sentroid"}'

# --- not ready -----------------------------------------------------------------------------------

in_srv "$SENTROID" detach "$LAB_IF" >/dev/null
sleep 1.5
[[ $(page /readyz) == "HTTP/1.1 503"*"$LAB_IF: not attached" && $(page /healthz) == "HTTP/1.1 200"* ]]
check "detached by somebody else: healthy, not ready" page /readyz
asked "sentroid_attached{interface=\"$LAB_IF\"}" 0
check "... which Prometheus sees" ask sentroid_attached
promtool check metrics < <(agent_get /metrics) >"$LAB_TMP/problems" 2>&1 && [ ! -s "$LAB_TMP/problems" ]
check "... on a page that is still clean" cat "$LAB_TMP/problems"
in_srv "$SENTROID" attach "$LAB_IF" >/dev/null
sleep 1.5
[[ $(page /readyz) == "HTTP/1.1 200"* ]]
check "attached again: ready" page /readyz

# --- port in use ---------------------------------------------------------------------------------

ip -n "$LAB_SRV" link add sen-two type veth peer name sen-two-peer && ip -n "$LAB_SRV" link set sen-two up &&
	ip -n "$LAB_SRV" link set sen-two-peer up
in_srv timeout 10 "$SENTROIDD" -i sen-two -c "$LAB_TMP/agent.conf" --state-dir "$LAB_TMP/state2" \
	--listen "127.0.0.1:$AGENT_PORT" 2>"$LAB_TMP/second.err"
rc=$?
mapfile -t lines <"$LAB_TMP/second.err"
[ "$rc" = 1 ] && [[ ${lines[0]} == "sentroidd: listen: 127.0.0.1:$AGENT_PORT: Address already in use" ]] &&
	[ "${#lines[@]}" -le 2 ] && [[ ${lines[1]:-} =~ ^("sentroidd: hint: ".*)?$ ]]
check "a port in use is told in one clear line" cat "$LAB_TMP/second.err"
[ ! -e "$SENTROID_BPFFS/sen-two" ] && [ ! -e "$LAB_TMP/state2" ] &&
	[ "$(ip -n "$LAB_SRV" -j -d link show sen-two | jq '.[0].xdp')" = null ]
check "... and nothing was attached for it" ls "$SENTROID_BPFFS"
check_done

#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What a real Prometheus makes of the agent: it scrapes the endpoint, promtool finds nothing wrong with
# it, and the health endpoints say what they should.

cd "$(dirname "$0")/../.." || exit 2
# shellcheck source-path=SCRIPTDIR source=lab.sh
. tests/net/lab.sh
# shellcheck source-path=SCRIPTDIR source=agent.sh
. tests/net/agent.sh

PROMETHEUS_PORT=9096

agent_tools prometheus promtool || skip_all "prometheus is missing"
agent_begin metrics || exit
lab_trap
trap agent_end EXIT
lab_up || exit
agent_start '[baseline]' 'seconds = 60' || give_up "the agent starts"
in_cli ping -c 3 -i 0.2 "$LAB_SRV4" >/dev/null
check "traffic passes"

agent_get /healthz >/dev/null
check "/healthz answers"
agent_get /readyz >/dev/null
check "/readyz says ready"
# http_code PATH
http_code() { in_srv curl -s -o /dev/null --max-time 3 -w '%{http_code}' "http://127.0.0.1:$AGENT_PORT$1"; }
[ "$(http_code /nothing)" = 404 ]
check "an unknown path is 404"

agent_get /metrics >"$LAB_TMP/metrics"
check "/metrics answers"
faults=$(promtool check metrics <"$LAB_TMP/metrics" 2>&1)
check "promtool check metrics is clean" "$faults"
packets=$(awk '/^sentroid_packets_total/ { n += $2 } END { print n + 0 }' "$LAB_TMP/metrics")
[ "$packets" -ge 3 ] && [ "$packets" -le "$(status .packets)" ]
check "packets are counted as the program counts them" "$packets, $(status .packets)"

cat >"$LAB_TMP/prometheus.yml" <<-YAML
	global:
	  scrape_interval: 1s
	scrape_configs:
	  - job_name: sentroid
	    static_configs:
	      - targets: ["127.0.0.1:$AGENT_PORT"]
YAML
promtool check config "$LAB_TMP/prometheus.yml" >/dev/null
check "the scrape configuration is good"
in_srv_bg prometheus --config.file="$LAB_TMP/prometheus.yml" --storage.tsdb.path="$LAB_TMP/tsdb" \
	--web.listen-address="127.0.0.1:$PROMETHEUS_PORT" --log.level=error

# query EXPRESSION: the value of the only series, empty where there is none yet.
query() {
	in_srv curl -sfG --max-time 3 "http://127.0.0.1:$PROMETHEUS_PORT/api/v1/query" \
		--data-urlencode "query=$1" | jq -r '.data.result | if length == 1 then .[0].value[1] else "" end'
}

up=''
for ((try = 0; try < 100; try++)); do
	up=$(query 'up{job="sentroid"}' 2>/dev/null)
	[ "$up" = 1 ] && break
	sleep 0.2
done
[ "$up" = 1 ]
check "Prometheus scrapes the agent" "up is '$up'"
scraped=$(query 'sum(sentroid_packets_total)')
[ "${scraped:-0}" -ge 3 ]
check "and has its counters" "sentroid_packets_total is '$scraped'"

in_srv "$SENTROID" detach "$LAB_IF" >/dev/null
for ((try = 0; try < 50; try++)); do
	code=$(http_code /readyz)
	[ "$code" = 503 ] && break
	sleep 0.2
done
[ "$code" = 503 ]
check "/readyz says so when the program is gone" "code $code"
[ "$(http_code /healthz)" = 200 ]
check "/healthz speaks for the process"
check_done

# SPDX-License-Identifier: BSD-2-Clause
#
# What a replay has come to, "NAME VALUE" a line, from the flows that it wrote (in the order of their first
# frame). -v own=S: seconds until the first model trained here was in force, or empty; -v change=S: until the
# traffic changed; -v target=SHARE: of false alarms.

# Flows beside a scan share its windows, of up to 64 s, and what is flagged of them says nothing of the model.
function clear(n,    s) {
	for (s = 1; s <= scans; s++)
		if (last[n] >= begun[s] && first[n] <= ended[s] + 64)
			return 0
	return 1
}

function share(part, all) { return all ? part / all : 0 }

BEGIN { FS = "," }
NR == 1 { next }
NR == 2 { start = $1 }
{ end = $1 > end ? $1 : end }
$4 ~ /^198\.1[89]\./ || $6 ~ /^198\.1[89]\./ || $4 ~ /^02:66:/ {
	if (!scans || $1 > ended[scans] + 30)
		begun[++scans] = $1
	ended[scans] = $1
	attacks[scans]++
	attack++
	if ($11) { flagged++; named[$12]++; hits[scans]++ }
	next
}
{ benign++; first[benign] = $1; last[benign] = $2; hit[benign] = $11; wrong += $11 }

END {
	print "attack.flows", attack + 0
	print "attack.flagged", share(flagged, attack)
	least = 1
	for (s = 1; s <= scans; s++)
		if (share(hits[s], attacks[s]) < least)
			least = share(hits[s], attacks[s])
	print "attacks", scans + 0
	print "attacks.least", least
	for (class in named) print "named." class, named[class] / flagged

	for (n = 1; n <= benign; n++) {
		if (first[n] > start + (end - start) * 2 / 3) { late++; late_wrong += hit[n] }
		if (!clear(n))
			continue
		if (own != "" && first[n] > start + own) { owned++; owned_wrong += hit[n] }
		if (first[n] < start + change)
			continue
		late_hit[++seen] = hit[n]
	}
	# From its end: the longest rest of the flows of which no more than the target are flagged.
	for (n = seen; n > 0; n--) {
		rest += late_hit[n]
		if (rest <= (seen - n + 1) * target)
			settled = n - 1
	}
	print "benign.flagged", share(wrong, benign)
	print "benign.last", share(late_wrong, late)
	print "benign.own", share(owned_wrong, owned)
	print "benign.settled", settled + 0
}

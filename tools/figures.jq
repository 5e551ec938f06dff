# SPDX-License-Identifier: BSD-2-Clause
#
# The page docs/figures.md from the JSON of `sentroid eval`, one of each seed (slurped); $shipped, $cross
# and $naming are of the shipped model, of one network's model on another's traffic, and of names learnt from
# other sources than those tried.

def round_to($n): . * pow(10; $n) | round / pow(10; $n);
# jq writes 0.9800000000000001 for some of what it has rounded.
def decimals($n):
	if . == null then "-" else
		(. * pow(10; $n) | round | tostring) as $d
		| ("0" * ([0, $n + 1 - ($d | length)] | max) // "") + $d
		| .[:length - $n] + "." + .[length - $n:]
	end;
def percent: if . == null then "-" else . * 100 | decimals(2) + "%" end;
def mean: if length == 0 then null else add / length end;
# Mean over the seeds, and the range.
def spread(f; show):
	map(f) | map(select(. != null))
	| if length == 0 then "-"
	  else (mean | show) + " (" + (min | show) + " to " + (max | show) + ")" end;
def row: "| " + join(" | ") + " |";
def head: row, (map("---") | row);

def level($name; f):
	[$name, spread(f | .auc; decimals(4)), spread(f | .average_precision; decimals(4)),
	 spread(f | .tpr_at_fpr."0.001"; percent), spread(f | .tpr_at_fpr."0.01"; percent)] | row;

def calibration($name; f):
	[$name, (.[0].calibration.target_fpr | percent), spread(f | .fpr; percent),
	 spread(f | .score_for_target; decimals(2))] | row;

def scored($name; f):
	[$name, spread(f | .auc; decimals(5)), spread(f | .tpr_at_fpr."0.001"; percent),
	 spread(f | .tpr_at_fpr."0.01"; percent)] | row;

def class($name):
	[$name, (.[0].classes[$name].flows | tostring),
	 spread(.classes[$name]."recall_at_fpr_0.001"; percent),
	 spread(.classes[$name]."recall_at_fpr_0.01"; percent),
	 spread(.classes[$name].recall; percent),
	 ([.[] | .classes[$name].attacks_detected] | min | tostring) + " of " +
	 (.[0].classes[$name].attacks | tostring)] | row;

def source($name):
	map(.sources[] | select(.source == $name))
	| [$name, (.[0].malicious_flows | tostring), spread(."recall_at_fpr_0.001"; percent),
	   spread(."recall_at_fpr_0.01"; percent)] | row;

# Sources of benign flows that were flagged for some seed, the worst first.
def false_positives:
	(map(.sources[] | select(.benign_flows > 0)) | group_by(.source)
	 | map({source: .[0].source, benign: .[0].benign_flows, flagged: (map(.false_positives) | mean)})
	 | map(select(.flagged > 0)) | sort_by(-.flagged / .benign)[:15])[]
	| [.source, (.benign | tostring), (.flagged | decimals(1)), (.flagged / .benign | percent)] | row;

def named:
	(.classes | to_entries[] | select(.value.named != null)
	 | [.key, (.value.flows | tostring), (.value.recall | percent), (.value.named | percent),
	    (.value.named_as | to_entries | sort_by(-.value)[:3]
	     | map(.key + " " + (.value | tostring)) | join(", "))] | row);

def learned(what; key): $learning[0].by[key] | [what, (.packets | tostring), (.flagged | tostring), (.flagged / .packets | percent)] | row;

$shipped[0] as $shipped
| "# Figures",
"",
"Made by `make report`; edit `tools/figures.jq`, not this page. How each is defined and what it does not show is in",
"[evaluation.md](evaluation.md).",
"",
"Timeline of real captures (`\(.[0].inputs[0].file | split("/") | last)`, SHA-256 `\(.[0].inputs[0].sha256[:16])`), models trained on its first",
"\($until) s, which hold no attack, and tried on the flows that begin after that: \(.[0].flow.benign) benign, \(.[0].flow.malicious) malicious.",
"Mean over \(length) seeds, in brackets the range.",
"",
"    sentroid train --normal timeline.pcap --until \($until) --seed N -o N.json",
"    sentroid eval --labels timeline.labels.csv.gz timeline.pcap --model N.json --from \($until)",
"",
(["by", "AUC", "average precision", "recall at 0.1% false positives", "at 1%"] | head),
level("flow"; .flow), level("packet"; .packet), level("evaluation"; .evaluation),
(["mean over attack sources", "", "", spread(.source_mean.tpr_at_fpr."0.001"; percent),
  spread(.source_mean.tpr_at_fpr."0.01"; percent)] | row),
"",
"## By class, flows",
"",
(["class", "flows", "recall at 0.1% false positives", "at 1%", "at the threshold", "attacks detected, every seed"] | head),
(. as $all | .[0].classes | keys[] | . as $c | $all | class($c)),
"",
"## By source of attacks, flows",
"",
(["source", "flows", "recall at 0.1% false positives", "at 1%"] | head),
(. as $all | .[0].sources | map(select(.malicious_flows > 0)) | sort_by(.source)[] | .source as $s | $all | source($s)),
"",
"## Threshold",
"",
"What the threshold was set for, what it gives, and the score that would have met the target (1 is the threshold).",
"",
(["false positives by", "target", "measured", "score that meets the target"] | head),
calibration("evaluation"; .calibration.evaluation), calibration("flow"; .calibration.flow),
"",
"Benign sources with the highest share of flagged flows (mean over the seeds; at most 15 are listed):",
"",
(["source", "flows", "flagged", "share"] | head),
false_positives,
"",
"## Integers against floats, the same models, flows",
"",
(["scored in", "AUC", "recall at 0.1% false positives", "at 1%"] | head),
scored("integers, as in the packet path"; .quantized.flow),
scored("float32 held to 7 bits"; .quantized.flow.float32_saturated),
scored("float32"; .quantized.flow.float32),
"",
"## One network's model on another's normal traffic",
"",
"Seed 1; every second capture trains, each capture is replayed on its own. What is flagged is a false positive.",
"",
(["trained on", "tried on", "flows", "flagged", "share"] | head),
($cross[0][] | [.on, (.flows | tostring), (.flagged | tostring), (.flagged / .flows | percent)] | row),
"",
"## Names of attacks from sources not seen",
"",
"Seed 1. The named classes are learnt from all attack captures but the one that is then tried (of those that are nearly all attack; of a",
"class with a name of the user's own, where there is another source). Share of the flagged flows that get the right name, by rules, signs or",
"what was learnt (detection.md, \"Names\").",
"",
(["class", "source", "flows", "flagged", "of these named right"] | head),
($naming[0][] | [.class, .source, (.malicious_flows | tostring), (.recall | percent), (.named | percent)] | row),
"",
"## Learning all the way",
"",
"`sentroid replay timeline.pcap --learn`: an agent that begins with the shipped model and a baseline of five minutes, tests each packet and then",
"learns from it, as it would have done live. \($learning[0].learner.promoted) models were promoted, \($learning[0].learner.refused) refused and \($learning[0].learner.rolled_back) taken back. Networks that come one after another are new",
"to it in the first row, where it is still finding out what is normal.",
"",
(["packets", "number", "flagged", "share"] | head),
learned("normal, before the first attack"; "earlier"), learned("normal, from there on"; "later"), learned("of attacks"; "attack"),
"",
"## The shipped model on the timeline",
"",
"`models/default.json`, version \($shipped.model.version), digest `\($shipped.model.digest[:16])`. It was trained on the same prefix and knows the classes by name",
"from captures that the timeline is made of, so the column of names shows that naming works, not how well it travels.",
"",
"AUC \($shipped.flow.auc | decimals(4)), recall \($shipped.flow.tpr_at_fpr."0.001" | percent) at 0.1% and \($shipped.flow.tpr_at_fpr."0.01" | percent) at 1%; at its own threshold \($shipped.flow.threshold.fpr | percent) false positives and \($shipped.flow.threshold.tpr | percent) recall.",
"",
(["class", "flows", "flagged", "of these named right", "named as"] | head),
($shipped | named)

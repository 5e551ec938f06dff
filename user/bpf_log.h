/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What libbpf and libxdp have to say. Both are loud about fallbacks that harm nobody, so nothing is
 * printed; what may explain a failure is kept. Not for more than one thread at a time.
 */
#ifndef SENTROID_BPF_LOG_H
#define SENTROID_BPF_LOG_H

#include <stdbool.h>

/* Listen from here on, and forget what was said before. */
void sen_bpf_log_begin(void);
/* The last warning, or an empty string; its text changes with the next one. */
const char *sen_bpf_log_last(void);
/* The kernel has said that the driver has no native XDP. */
bool sen_bpf_log_no_native(void);
/* libxdp could not open the object file of its dispatcher. */
bool sen_bpf_log_no_dispatcher_file(void);
/* Why libxdp goes without its dispatcher, an errno; 0: it does not, or not known. It tries one, and says
 * only here what came of that. */
int sen_bpf_log_dispatcher_error(void);

#endif

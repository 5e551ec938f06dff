// SPDX-License-Identifier: BSD-2-Clause
#include <curl/curl.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent_call.h"
#include "command.h"
#include "control.h"
#include "paths.h"

#define SECONDS 10

static CURLcode transfer(const char *socket, bool post, const char *url, FILE *out, long *status)
{
	CURL *curl = curl_easy_init();
	CURLcode code = CURLE_OUT_OF_MEMORY;

	if (!curl)
		return code;
	curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, out);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)SECONDS);
	if (post) {
		curl_easy_setopt(curl, CURLOPT_POST, 1L);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, 0L);
	}
	code = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, status);
	curl_easy_cleanup(curl);
	return code;
}

static int check_socket(const char *path, const char *ifname, struct sen_why *why)
{
	if (!access(path, R_OK | W_OK))
		return 0;
	if (errno == EACCES)
		return path_error(why, -EACCES, "asking the agent", ifname);
	return sen_why(why, -ENOENT,
		       "sentroidd -i IFACE starts one; --state-dir as it was given there",
		       "asking the agent: %s: no agent runs there", ifname);
}

int agent_call(const char *state_dir, const char *ifname, bool post, const char *path, char **body,
	       struct sen_why *why)
{
	char socket[PATH_MAX], url[256];
	size_t len = 0;
	long status = 0;
	CURLcode code;
	FILE *out;
	int err = sen_check_ifname(ifname, why);

	*body = NULL;
	snprintf(socket, sizeof(socket), "%s/%s/" SEN_CONTROL_SOCKET, state_dir, ifname);
	if (!err)
		err = check_socket(socket, ifname, why);
	if (err)
		return err;
	out = open_memstream(body, &len);
	if (!out)
		return sen_why(why, -ENOMEM, NULL, "asking the agent: out of memory");
	snprintf(url, sizeof(url), "http://agent%s", path);
	code = transfer(socket, post, url, out, &status);
	fclose(out);
	if (code == CURLE_COULDNT_CONNECT)
		return sen_why(why, -ENOENT, "sentroidd -i IFACE starts one",
			       "asking the agent: %s: no agent runs there", ifname);
	if (code)
		return sen_why(why, -EIO, NULL, "asking the agent: %s: %s", ifname,
			       curl_easy_strerror(code));
	return status == 200 ? 0 : sen_why(why, -EAGAIN, NULL, "%s: %s", ifname, *body);
}

static int is_interface(const struct dirent *entry)
{
	return !sen_check_ifname(entry->d_name, NULL);
}

int agent_each(const char *state_dir, int (*fn)(void *ctx, const char *ifname), void *ctx,
	       struct sen_why *why)
{
	struct dirent **names;
	char path[PATH_MAX];
	int found = 0, err = 0, n = scandir(state_dir, &names, is_interface, alphasort);

	if (n < 0)
		return errno == ENOENT ? 0 : path_error(why, -errno, "asking the agent", state_dir);
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s/" SEN_CONTROL_SOCKET, state_dir,
			 names[i]->d_name);
		if (!err && (!access(path, F_OK) || errno == EACCES)) {
			found++;
			err = fn(ctx, names[i]->d_name);
		}
		free(names[i]);
	}
	free(names);
	return err ? err : found;
}

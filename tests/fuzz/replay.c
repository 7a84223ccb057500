/* SPDX-License-Identifier: MIT */
/* Runs a fuzz target over files and over the files of directories, without a fuzzer: what was
 * found once must never come back. Prints one line. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static unsigned long runs;

static bool run_file(const char *path)
{
	SLT_AUTO_STR char *p = NULL;
	size_t n = 0;
	struct slt_err err = SLT_ERR_INIT;

	if (!slt_file_read(path, 1 << 26, &p, &n, &err)) {
		fprintf(stderr, "%s\n", err.msg);
		return false;
	}
	/* exactly as long as the input, so that a sanitizer sees a read beyond it */
	uint8_t *exact = malloc(n ? n : 1);
	slt_assert(exact);
	memcpy(exact, p, n);
	LLVMFuzzerTestOneInput(exact, n);
	free(exact);
	runs++;
	return true;
}

static bool run_path(const char *path)
{
	DIR *d = opendir(path);
	bool good = true;

	if (!d) {
		return errno == ENOTDIR
			       ? run_file(path)
			       : (fprintf(stderr, "%s: %s\n", path, strerror(errno)), false);
	}
	for (struct dirent *e = readdir(d); e; e = readdir(d)) {
		if (e->d_name[0] != '.') {
			SLT_AUTO_STR char *file = slt_path_join(path, e->d_name);
			good = run_file(file) && good;
		}
	}
	closedir(d);
	return good;
}

int main(int argc, char **argv)
{
	bool good = true;

	LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	for (int i = 1; i < argc; i++) {
		good = run_path(argv[i]) && good;
	}
	printf("%sok 1 - %lu inputs of the corpus\n1..1\n", good && runs ? "" : "not ", runs);
	return good && runs ? 0 : 2;
}

// SPDX-License-Identifier: BSD-2-Clause
#include "select.h"

static void swap(float *a, float *b)
{
	float t = *a;

	*a = *b;
	*b = t;
}

float sen_select_value(float *v, size_t n, size_t k)
{
	size_t low = 0, high = n - 1;

	while (low < high) {
		float pivot = v[low + (high - low) / 2];
		size_t i = low, j = high;

		for (;;) {
			while (v[i] < pivot)
				i++;
			while (v[j] > pivot)
				j--;
			if (i >= j)
				break;
			swap(&v[i++], &v[j--]);
		}
		if (k <= j)
			high = j;
		else
			low = j + 1;
	}
	return v[k];
}

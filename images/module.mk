# SPDX-License-Identifier: Apache-2.0
# images: the sample runtime in C. hearth-init is built by the rules of the top Makefile.

$(BUILD)/samples/c-bootstrap: images/samples/c-runtime/bootstrap.c
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -O2 -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	    -Wswitch-enum -Werror -static -o $@ $<

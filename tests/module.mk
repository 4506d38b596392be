# SPDX-License-Identifier: Apache-2.0
include tests/fuzz/module.mk

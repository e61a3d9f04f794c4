# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The built programs at work: one real task each, and the suites they come with."""

# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Figures, always as a ratio to native Linux measured in the same run; never in timed tests."""

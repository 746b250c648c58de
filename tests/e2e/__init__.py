# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests in Python share; they run with PYTHONPATH=tests."""

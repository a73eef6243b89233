"""awk in the form that everybody uses: patterns, print, printf, counters; no functions, getline or while."""

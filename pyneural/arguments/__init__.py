"""What users pass, checked: spelling, sizes, arrays, paths."""

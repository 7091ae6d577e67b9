"""What must hold after any fault, shown on real processes, real photos and real files, for every engine."""

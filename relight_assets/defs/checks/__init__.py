"""The checks on a split's mapping CSV: may the images that it names be used for training?"""

"""Is a finished split what its records say?"""

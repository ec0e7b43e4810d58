"""The four stages of a model's life in production, and the pipeline that joins them. Numpy only.

`contracts` and `validate` are floor 1, the stages `monitor`, `drift`, `retrain` and `deploy` floor 2, and
`pipeline` floor 3. Import from those by name; this file imports nothing, so that each stage stands alone.
"""

"""The catalog: every InnerSource project known here, searchable without network."""

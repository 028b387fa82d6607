"""The centre: receives sealed batches, reconciles them and answers with signed receipts."""

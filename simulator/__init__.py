"""The service hall in software: devices byte for byte, real firmware, people, bad weather."""
